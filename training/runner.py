"""Running an exported graph over history, as the worker would: one call a slot, state carried."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import onnxruntime as ort

from training.data.waves import Floats, Ints


@final
class Runner:
    """One ONNX Runtime session of a bundle's graph, on one thread."""

    def __init__(self, graph: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session: Any = ort.InferenceSession(graph, options, ["CPUExecutionProvider"])
        shapes = {value.name: value.shape for value in self.session.get_inputs()}
        self.context: int = shapes["window"][1]
        self.state_size: int = shapes["state"][1]

    def step(self, window: Floats, state: Floats) -> tuple[Floats, Floats]:
        """window: [B, context], NaN = missing. state: [B, S]. → forecast, next state."""
        feeds = {
            "window": window[:, :, None],
            "origin": np.zeros(len(window), np.int64),
            "state": state,
        }
        forecast, after = self.session.run(["forecast", "next_state"], feeds)
        return forecast, after

    def run(self, values: Floats, origins: Ints) -> Floats:
        """Stream series slot by slot; return the forecasts at `origins`.

        values: [B, T]; a series begins at its first known value. origins: int64 [N], rising slots
        of T. → float32 [B, N, horizon, levels].
        """
        before = np.full((len(values), self.context - 1), np.nan, np.float32)
        padded = np.concatenate((before, values), axis=1)
        begun = np.maximum.accumulate(~np.isnan(values), axis=1)
        state = np.zeros((len(values), self.state_size), np.float32)
        wanted = set(origins.tolist())
        kept = []
        for slot in range(int(origins[-1]) + 1):
            window = np.ascontiguousarray(padded[:, slot : slot + self.context])
            forecast, state = self.step(window, state)
            state = state * begun[:, slot, None]
            if slot in wanted:
                kept.append(forecast)
        return np.stack(kept, axis=1)
