"""Models whose answers can be worked out by hand, and one that fails."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from stream.grid import BoolArray, FloatArray
from stream.predictor import Inputs, Prediction, Predictor
from tidecast.bundle import Channel, Manifest


def manifest_of(
    name: str, context: int, horizon: int, channels: Sequence[str], state_size: int
) -> Manifest:
    """The manifest of a model that exists in memory only; its graph's hash is that of its name."""
    return Manifest(
        name=name,
        version="1",
        task="forecast",
        graph_sha256=hashlib.sha256(name.encode()).hexdigest(),
        graph_bytes=1,
        opset=18,
        step_seconds=None,
        context=context,
        horizon=horizon,
        channels=tuple(Channel(channel) for channel in channels),
        target=channels[0],
        quantile_levels=(0.1, 0.5, 0.9),
        state_size=state_size,
        created="2026-01-01T00:00:00Z",
        data_sha256="",
        data_licence="",
        training={},
        figures={},
        tools={},
    )


class CountingPredictor:
    """A model whose answers can be worked out by hand.

    state[0] counts the slots consumed, state[1] sums their values (missing counts as 0). Every
    level and lead of the forecast is the last value plus the sum so far.
    """

    def __init__(
        self,
        context: int = 8,
        horizon: int = 3,
        channels: Sequence[str] = ("value",),
        name: str = "counting",
    ) -> None:
        self.manifest = manifest_of(name, context, horizon, channels, state_size=2)

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        next_state = self.step(inputs)
        return Prediction(_flat(_newest(inputs) + next_state[:, 1], self.manifest), next_state)

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        newest = _newest(inputs)
        return inputs.states + np.stack([np.ones_like(newest), newest], axis=1)


class NaivePredictor:
    """A model without a state: every level and lead is the newest value, missing counts as 0."""

    def __init__(self, context: int = 8, horizon: int = 3) -> None:
        self.manifest = manifest_of("naive", context, horizon, ("value",), state_size=0)

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        return Prediction(_flat(_newest(inputs), self.manifest), inputs.states)

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        return inputs.states


class FailingPredictor:
    """Another model that breaks, in forecast and state, where the newest value is `poison`."""

    def __init__(self, model: Predictor, poison: float) -> None:
        """`poison`: any number; NaN for a model that breaks where a value is missing."""
        self.manifest = model.manifest
        self._model = model
        self._poison = np.float32(poison)

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        forecast = self._model.predict(inputs).forecast
        broken = self._broken(inputs.windows)[:, None, None]
        return Prediction(np.where(broken, np.float32(np.nan), forecast), self.step(inputs))

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        next_state = self._model.step(inputs)
        return np.where(self._broken(inputs.windows)[:, None], np.float32(np.inf), next_state)

    def _broken(self, windows: FloatArray) -> BoolArray:
        newest = windows[:, -1, 0]
        return np.isclose(newest, self._poison, rtol=0, atol=0, equal_nan=True)


def _newest(inputs: Inputs) -> FloatArray:
    return np.nan_to_num(inputs.windows[:, -1, 0])


def _flat(answers: FloatArray, manifest: Manifest) -> FloatArray:
    shape = (len(answers), manifest.horizon, manifest.width)
    return np.broadcast_to(answers[:, None, None], shape).astype(np.float32)
