"""What every `Predictor` does: the fakes, and the shipped bundles in ONNX Runtime."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stream.onnx_predictor import LARGEST_RUN, OnnxPredictor
from stream.predictor import Inputs, Predictor
from stream.testing import CountingPredictor, FailingPredictor, NaivePredictor
from tidecast.bundle import read_bundle

MODELS = Path("onnx_models")
IMPLEMENTATIONS: dict[str, Callable[[], Predictor]] = {
    "counting": CountingPredictor,
    "naive": NaivePredictor,
    "failing": lambda: FailingPredictor(CountingPredictor(), math.nan),
    "gru": lambda: OnnxPredictor(read_bundle(MODELS / "general-gru" / "1")),
    "lstm": lambda: OnnxPredictor(read_bundle(MODELS / "general-lstm" / "1")),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return IMPLEMENTATIONS[request.param]()


def inputs_for(predictor: Predictor, rows: int) -> Inputs:
    """Windows with gaps, and states as they may come."""
    random, manifest = np.random.default_rng(rows), predictor.manifest
    shape = (rows, manifest.context, len(manifest.channels))
    windows = random.normal(100, 30, shape).astype(np.float32)
    windows[random.random(shape) < 0.1] = np.nan
    origins = 1_700_000_000 + 3600 * np.arange(rows, dtype=np.int64)
    states = random.normal(size=(rows, manifest.state_size)).astype(np.float32)
    return Inputs(windows, origins, states)


@pytest.mark.parametrize("rows", [1, 7, LARGEST_RUN, LARGEST_RUN + 1])
def test_every_row_has_a_forecast_and_a_state(predictor: Predictor, rows: int) -> None:
    manifest = predictor.manifest
    forecast, state = predictor.predict(inputs_for(predictor, rows))
    assert forecast.shape == (rows, manifest.horizon, len(manifest.quantile_levels))
    assert state.shape == (rows, manifest.state_size)
    assert forecast.dtype == state.dtype == np.float32


@pytest.mark.parametrize("rows", [1, 7, LARGEST_RUN + 1])
def test_a_step_gives_the_state_that_a_prediction_gives(predictor: Predictor, rows: int) -> None:
    inputs = inputs_for(predictor, rows)
    np.testing.assert_array_equal(predictor.step(inputs), predictor.predict(inputs).next_state)


def test_rows_do_not_see_each_other(predictor: Predictor) -> None:
    inputs = inputs_for(predictor, 300)
    together = predictor.predict(inputs)
    for row in (0, 150, 299):
        only = slice(row, row + 1)
        alone = predictor.predict(
            Inputs(inputs.windows[only], inputs.origins[only], inputs.states[only])
        )
        np.testing.assert_allclose(alone.forecast[0], together.forecast[row], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(alone.next_state[0], together.next_state[row], rtol=1e-4)
