"""Small tables of history, and the records that a publisher would make of them."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from numpy.typing import NDArray

from stream.records import LoggedRecord
from tidecast.messages import Observation, encode_observation
from training.data.table import Table

HOUR_S = 3600
FIRST = 1_600_000 * HOUR_S

FEW = settings(max_examples=20, deadline=None)
"""Drawn numbers are many in each example."""


def a_table(
    series: int = 3, slots: int = 60, channels: int = 1, covariates: int = 0, seed: int = 0
) -> Table:
    """Noise with gaps, a long silence, and series that begin late."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(series, slots, channels)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[0, 20:35] = np.nan
    values[-1, :7] = np.nan
    known = rng.normal(size=(series, slots, covariates)).astype(np.float32)
    return Table(
        names=tuple(f"plant-{number}" for number in range(series)),
        values=values,
        channels=("value",) if channels == 1 else tuple(f"c{n}" for n in range(channels)),
        first=FIRST,
        step_seconds=HOUR_S,
        known=known if covariates else None,
        covariates=tuple(f"k{number}" for number in range(covariates)),
    )


def records_of(table: Table, horizon: int, lead: int = 1) -> list[LoggedRecord]:
    """Each slot of a series since its first value as a record, in order of time."""
    records: list[LoggedRecord] = []
    for slot in range(table.values.shape[1]):
        for row, name in enumerate(table.names):
            if np.isnan(table.values[row, : slot + 1]).all():
                continue
            time_ms = (table.first + slot * table.step_seconds) * 1000
            future = _future(table, row, slot + lead, horizon) if table.covariates else None
            observation = Observation(
                name, time_ms, _named(table.channels, table.values[row, slot]), future
            )
            records.append(
                LoggedRecord(len(records), time_ms, name.encode(), encode_observation(observation))
            )
    return records


def _named(names: tuple[str, ...], numbers: NDArray[np.float32]) -> dict[str, float | None]:
    return dict(zip(names, (None if np.isnan(x) else float(x) for x in numbers), strict=True))


def _future(table: Table, row: int, begin: int, horizon: int) -> dict[str, list[float | None]]:
    assert table.known is not None
    ahead = table.known[row, begin : begin + horizon]
    return {
        name: [None if np.isnan(x) else float(x) for x in ahead[:, place]]
        for place, name in enumerate(table.covariates)
    }
