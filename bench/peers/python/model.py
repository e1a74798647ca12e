"""A bundle in ONNX Runtime for the peers written in Python; they have it from no one else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]

CHANNEL: Final = "value"


class Known(NamedTuple):
    """What is remembered of B series: windows [B, context], NaN where missing; states [B, size]."""

    windows: Floats
    states: Floats


class Step(NamedTuple):
    """What is known after a step, and the forecasts [B, levels, horizon]."""

    known: Known
    forecasts: Floats


class Model:
    """The bundle in `folder`: for each series the new value in, the quantiles out."""

    def __init__(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.context: int = manifest["context"]
        self.state_size: int = manifest["state_size"]
        self.levels: list[float] = manifest["quantile_levels"]
        self._session = onnxruntime.InferenceSession(folder / "model.onnx", options)
        self._inputs = {node.name for node in self._session.get_inputs()}

    def blank(self) -> Known:
        """What is known of one series before its first value."""
        return Known(
            np.full((1, self.context), np.nan, np.float32),
            np.zeros((1, self.state_size), np.float32),
        )

    def step(self, known: Known, values: Floats, origins: npt.NDArray[np.int64]) -> Step:
        """What is known with one more value of each series, and the forecasts.

        values: [B]. origins: [B], seconds since 1970.
        """
        windows = np.concatenate([known.windows[:, 1:], values[:, None]], axis=1)
        feed = {"window": windows[:, :, None], "origin": origins, "state": known.states}
        outputs = ["forecast", "next_state"] if self.state_size else ["forecast"]
        forecast, *state = self._session.run(outputs, {name: feed[name] for name in self._inputs})
        return Step(
            Known(windows, state[0] if state else known.states), forecast.transpose(0, 2, 1)
        )

    def answer(self, known: Known, event: Mapping[str, Any]) -> tuple[Known, dict[str, Any]]:
        """One event of a series: what is known with its value, and the message that answers it."""
        values = np.array([event["values"][CHANNEL]], np.float32)
        after = self.step(known, values, np.array([origin(event)]))
        return after.known, message(event, self.levels, after.forecasts[0].tolist())


def origin(event: Mapping[str, Any]) -> int:
    """When an event was measured: seconds since 1970."""
    return int(datetime.fromisoformat(event["timestamp"]).timestamp())


def message(
    event: Mapping[str, Any], levels: list[float], quantiles: list[list[float]]
) -> dict[str, Any]:
    """The answer to an event: the numbers of our own forecast message, level by level."""
    return {
        "series_id": event["series_id"],
        "origin": event["timestamp"],
        "quantile_levels": levels,
        "quantiles": quantiles,
    }
