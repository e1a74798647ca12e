"""Every family with every task: fitted, exported, checked, and served on the real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pytest

from stream.engine import Engine
from stream.onnx_predictor import OnnxPredictor
from stream.replay import replay
from tests.e2e.etth1 import as_log
from tests.e2e.forked_worker import a_worker, collect
from tests.training.fitting.toy import CASES, fitted_bundle, history_of, recipe_of
from tidecast import Forecast, Publisher, Subscriber
from tidecast.bundle import Manifest, write_bundle
from tidecast.messages import Observation
from tidecast.settings import Settings
from training.data.table import Table
from training.evaluate.case import known_ahead, window_values

SEEN: Final = 40
"""Observations of each series."""
TOLERANCE: Final = 1e-5
"""Relative to the largest number of an answer; other batch sizes round in another order."""


@pytest.mark.parametrize(("family", "task"), CASES)
def test_what_is_fitted_is_served(
    family: str, task: str, settings: Settings, tmp_path: Path
) -> None:
    bundle = fitted_bundle(family, task, tmp_path)
    folder = write_bundle(tmp_path, bundle, "")
    table = history_of(recipe_of(family, task)).table
    observations = list(observations_of(table, bundle.manifest))
    served = settings.model_copy(
        update={"worker": settings.worker.model_copy(update={"model": folder})}
    )
    with Publisher(served) as publisher:
        for observation in observations:
            publisher.publish_observation(observation)
    with Subscriber(served, start="earliest") as subscriber, a_worker(served, tmp_path):
        live = collect(subscriber, len(observations))
    engine = Engine(OnnxPredictor(bundle), served.stream)
    expected = {
        forecast.forecast_id: forecast
        for partition, records in as_log(iter(observations), served.stream.partitions).items()
        for forecast in replay(engine, records, partition=partition)
    }
    assert live.keys() == expected.keys()
    for key, answer in expected.items():
        assert_alike(live[key], answer)


def assert_alike(found: Forecast, expected: Forecast) -> None:
    """The same answer, but for the last digits; a whole one, whatever the task."""
    plain = {"quantiles": [], "probabilities": [], "issued_at": expected.issued_at}
    assert msgspec.structs.replace(found, **plain) == msgspec.structs.replace(expected, **plain)
    numbers = np.array(expected.quantiles or expected.probabilities)
    again = np.array(found.quantiles or found.probabilities)
    assert numbers.size
    assert np.all(np.abs(again - numbers) <= TOLERANCE * np.abs(numbers).max())


def observations_of(table: Table, manifest: Manifest) -> Iterator[Observation]:
    """The newest slots of a table as its events, with what is known ahead of each."""
    values, known = window_values(table, manifest), known_ahead(table, manifest)
    slots = table.values.shape[1]
    for slot in range(slots - SEEN - manifest.horizon - manifest.lead, slots)[:SEEN]:
        time_ms = (table.first + slot * table.step_seconds) * 1000
        for row, name in enumerate(table.names):
            measured = dict(zip(manifest.channel_names, values[row, slot].tolist(), strict=True))
            yield Observation(
                name,
                time_ms,
                {channel: None if value != value else value for channel, value in measured.items()},
                None if known is None else ahead_of(manifest, known[row, slot + manifest.lead :]),
            )


def ahead_of(manifest: Manifest, known: np.ndarray) -> dict[str, list[float | None]]:
    """What is known for each slot that is answered for. known: [slots, covariates]."""
    return {
        covariate.name: [float(value) for value in known[: manifest.horizon, number]]
        for number, covariate in enumerate(manifest.future)
    }
