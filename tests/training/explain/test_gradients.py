from __future__ import annotations

import hashlib

import msgspec
import numpy as np
import pytest
import torch

from stream.grid import FloatArray
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs, Prediction
from stream.testing import manifest_of
from tests.training.conftest import GRU
from tidecast.bundle import Bundle
from training.data.synthetic import Mixture, draw
from training.explain.gradients import integrated_gradients
from training.export import export
from training.models.forecaster import Forecaster
from training.tasks.forecast import ForecastTask


class Weighted:
    """A model that anyone can attribute: a weighted sum of the window and the state."""

    def __init__(self, weights: FloatArray) -> None:
        """weights: [context, channels]."""
        context, channels = weights.shape
        names = [f"c{number}" for number in range(channels)]
        self.manifest = manifest_of("weighted", context, 2, names, state_size=1)
        self._weights = weights

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        sums = (np.nan_to_num(inputs.windows) * self._weights).sum(axis=(1, 2))
        answers = np.broadcast_to(
            (sums + 3 * inputs.states[:, 0])[:, None, None], (len(sums), 2, 3)
        )
        return Prediction(answers.astype(np.float32), inputs.states)

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        return inputs.states


def inputs_of(windows: FloatArray, states: FloatArray) -> Inputs:
    return Inputs(windows, np.zeros(len(windows), np.int64), states)


def test_a_weighted_sum_is_attributed_to_its_terms() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 2)).astype(np.float32)
    windows = rng.normal(size=(4, 6, 2)).astype(np.float32)
    windows[0, 2, 1] = np.nan
    states = rng.normal(size=(4, 1)).astype(np.float32)
    found = integrated_gradients(Weighted(weights), inputs_of(windows, states))
    level = np.nanmean(windows, axis=1, keepdims=True)
    expected = np.nan_to_num((windows - level) * weights)
    np.testing.assert_allclose(found.window, expected, atol=1e-5)
    np.testing.assert_allclose(found.state, 3 * states[:, 0], atol=1e-5)
    together = found.window.sum(axis=(1, 2)) + found.state
    np.testing.assert_allclose(together, found.change, atol=1e-4)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    torch.manual_seed(3)
    return Forecaster(msgspec.structs.replace(GRU, context=24), ForecastTask(horizon=4)).eval()


def predictor_of(model: Forecaster) -> OnnxPredictor:
    graph = export(model)
    plain = manifest_of("small", 24, 4, ("value",), model.state_size)
    hashed = {"graph_sha256": hashlib.sha256(graph).hexdigest(), "graph_bytes": len(graph)}
    return OnnxPredictor(Bundle(msgspec.structs.replace(plain, **hashed), graph))


def torch_gradients(model: Forecaster, windows: FloatArray, steps: int) -> FloatArray:
    """The same by automatic differentiation: [P, context]."""
    window = torch.from_numpy(windows)
    apart = window - window.mean(1, keepdim=True)
    state = torch.zeros(len(window), model.state_size)
    total = torch.zeros_like(window)
    for step in range(steps):
        point = (window.mean(1, keepdim=True) + (step + 0.5) / steps * apart).requires_grad_()
        answer = model(point, torch.zeros(len(window), dtype=torch.int64), state)[0]
        (slope,) = torch.autograd.grad(answer[..., 1].mean(1).sum(), point)
        total += slope
    found: FloatArray = (total * apart / steps)[..., 0].numpy()
    return found


def test_a_graphs_attribution_is_that_of_torch(forecaster: Forecaster) -> None:
    windows = draw(Mixture(missing=0), (5,), 6, 24)[..., None]
    states = np.zeros((6, forecaster.state_size), np.float32)
    found = integrated_gradients(predictor_of(forecaster), inputs_of(windows, states), steps=64)
    expected = torch_gradients(forecaster, windows, steps=64)
    size = np.abs(expected).sum(axis=1, keepdims=True)
    assert (np.abs(found.window[..., 0] - expected) <= 0.02 * size).all()
    together = found.window.sum(axis=(1, 2)) + found.state
    np.testing.assert_allclose(together, found.change, atol=0.05 * float(size.max()))
