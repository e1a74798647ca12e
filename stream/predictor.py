"""What the engine needs of a model; `onnx_predictor` is the real one."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from stream.grid import FloatArray, IntArray
from tidecast.bundle import Manifest


class Prediction(NamedTuple):
    """forecast: [B, horizon, levels]. next_state: [B, state_size]."""

    forecast: FloatArray
    next_state: FloatArray


class Predictor(Protocol):
    """A model that consumes the newest slot of each window and forecasts from there."""

    @property
    def manifest(self) -> Manifest:
        """What the model is."""
        ...

    def predict(self, windows: FloatArray, origins: IntArray, states: FloatArray) -> Prediction:
        """One step.

        windows: [B, context, channels]. origins: [B] seconds since 1970 of the newest slots.
        states: [B, state_size] before the newest slots.
        """
        ...

    def step(self, windows: FloatArray, origins: IntArray, states: FloatArray) -> FloatArray:
        """The state after the newest slots [B, state_size] alone, where nobody wants a forecast.

        Takes what `predict` takes, and gives the state that it gives.
        """
        ...
