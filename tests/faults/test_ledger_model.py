from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.faults.ledger_model import CONTEXT, FACTOR, LARGEST_VALUE, MISSING, PRIME, write_ledger
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from tidecast.bundle import read_bundle


@pytest.fixture
def ledger(tmp_path: Path) -> OnnxPredictor:
    return OnnxPredictor(read_bundle(write_ledger(tmp_path)))


def written(ledger: OnnxPredictor, values: Sequence[float]) -> list[float]:
    """The last forecast of a series that was fed these values."""
    window = np.full((1, CONTEXT, 1), np.nan, np.float32)
    state = np.zeros((1, 2), np.float32)
    for value in values:
        window = np.concatenate([window[:, 1:], np.full((1, 1, 1), value, np.float32)], axis=1)
        forecast, state = ledger.predict(Inputs(window, np.zeros(1, np.int64), state))
    numbers: list[float] = forecast[0, :, 0].tolist()
    return numbers


def test_the_forecast_is_the_ledger_of_all_that_was_fed(ledger: OnnxPredictor) -> None:
    random = np.random.default_rng(1)
    values = random.integers(0, LARGEST_VALUE, 500).tolist()
    checksum = 0
    for value in values:
        checksum = int((checksum * FACTOR + value % PRIME) % PRIME)
    assert written(ledger, values) == [values[-1], 500, checksum, values[-2], values[-CONTEXT]]


@pytest.mark.parametrize(
    "other", [[1, 2, 4], [1, 2, 3, 3], [2, 1, 3], [1, 3], [1, 2, np.nan, 3]], ids=str
)
def test_another_history_is_another_forecast(ledger: OnnxPredictor, other: list[float]) -> None:
    assert written(ledger, other) != written(ledger, [1, 2, 3])


def test_a_missing_slot_is_written_as_such(ledger: OnnxPredictor) -> None:
    newest, slots, checksum, before, oldest = written(ledger, [7, np.nan])
    assert (newest, slots, checksum) == (MISSING, 2, 7 * FACTOR)
    assert (before, oldest) == (7, MISSING)
