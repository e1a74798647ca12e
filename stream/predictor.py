"""What the engine needs of a model; `onnx_predictor` is the real one."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from stream.grid import FloatArray, IntArray
from tidecast.bundle import Manifest


class Inputs(NamedTuple):
    """What a model goes by, B series at once.

    windows: [B, context, channels], NaN = missing. origins: [B] seconds since 1970 of the newest
    slots. states: [B, state_size] before the newest slots. future: [B, horizon, covariates], NaN =
    not known; None stands for nothing known.
    """

    windows: FloatArray
    origins: IntArray
    states: FloatArray
    future: FloatArray | None = None


class Prediction(NamedTuple):
    """forecast: [B, horizon, width], quantiles or a classifier's probabilities.

    next_state: [B, state_size].
    """

    forecast: FloatArray
    next_state: FloatArray


class Predictor(Protocol):
    """A model that consumes the newest slot of each window and forecasts from there."""

    @property
    def manifest(self) -> Manifest:
        """What the model is."""
        ...

    def predict(self, inputs: Inputs) -> Prediction:
        """One step."""
        ...

    def step(self, inputs: Inputs) -> FloatArray:
        """The state after the newest slots [B, state_size] alone, where nobody wants a forecast.

        It is the state that `predict` gives; what is known of the future plays no part in it.
        """
        ...
