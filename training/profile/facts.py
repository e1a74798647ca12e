"""What is in a table: gaps, outliers, ranges, seasons and classes, as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from stream.grid import BoolArray
from training.data.cleaning.filling import last_known
from training.data.cleaning.outliers import GAUSSIAN, median
from training.data.table import Loaded, Table
from training.data.waves import Floats
from training.profile.seasons import seasons

FAR: Final = 5.0
"""Robust deviations from the median beyond which a value is called an outlier."""


class ChannelProfile(NamedTuple):
    """One channel over all series, in its own units.

    missing: share of its slots. outliers: values further than FAR robust deviations (1.4826 times
    the median absolute deviation) from their series' median. constant, empty: series of one value,
    and of none. seasons: (period in slots, autocorrelation), strongest first.
    """

    name: str
    least: float
    median: float
    mean: float
    greatest: float
    missing: float
    longest_gap: int
    outliers: int
    constant: int
    empty: int
    seasons: list[tuple[int, float]]


class Profile(NamedTuple):
    """What is there. irregular: share of the distances between rows that are not the step.

    rows: as read. combined: values that met another one in their slot (duplicates, or a coarser
    step). labels: how many slots have each value of the label.
    """

    series: int
    slots: int
    step_seconds: int
    first: datetime
    last: datetime
    files: int
    rows: int
    combined: int
    irregular: float
    channels: list[ChannelProfile]
    labels: dict[float, int]
    covariates: tuple[str, ...]


def profile(loaded: Loaded) -> Profile:
    """Look through a table as it was read."""
    table = loaded.table
    first = datetime.fromtimestamp(table.first, UTC)
    slots = table.values.shape[1]
    return Profile(
        series=len(table.names),
        slots=slots,
        step_seconds=table.step_seconds,
        first=first,
        last=first + timedelta(seconds=(slots - 1) * table.step_seconds),
        files=loaded.counts["files"],
        rows=loaded.counts["rows"],
        combined=loaded.counts["combined"],
        irregular=loaded.irregular,
        channels=[_channel(table, number) for number in range(len(table.channels))],
        labels=_labels(table),
        covariates=table.covariates,
    )


def outliers(values: Floats) -> BoolArray:
    """Which values of [series, slots] are far from the median of their series."""
    middle = median(values)[:, None]
    # In double precision: the distance of two large values may overflow.
    distance = np.abs(values.astype(np.float64) - middle)
    spread = median(distance.astype(np.float32))[:, None]
    far: BoolArray = (spread > 0) & (distance > FAR * GAUSSIAN * spread)
    return far


def _channel(table: Table, number: int) -> ChannelProfile:
    values = table.values[..., number]
    known = values[~np.isnan(values)]
    low, high = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    return ChannelProfile(
        name=table.channels[number],
        least=float(known.min(initial=np.inf)),
        median=float(median(known)),
        mean=float(known.mean(dtype=np.float64)) if known.size else np.nan,
        greatest=float(known.max(initial=-np.inf)),
        missing=1 - known.size / values.size,
        longest_gap=_longest_gap(values),
        outliers=int(outliers(values).sum()),
        constant=int((high == low).sum()),
        empty=int(np.isnan(low).sum()),
        seasons=seasons(values),
    )


def _longest_gap(values: Floats) -> int:
    """Slots of the longest gap between two known values of one series."""
    before = last_known(values[..., None])[:, :-1, 0]
    inside = (before >= 0) & ~np.isnan(values[:, 1:])
    gaps = np.arange(values.shape[1] - 1) - before
    return int(np.where(inside, gaps, 0).max(initial=0))


def _labels(table: Table) -> dict[float, int]:
    if table.labels is None:
        return {}
    found, counts = np.unique(table.labels[~np.isnan(table.labels)], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
