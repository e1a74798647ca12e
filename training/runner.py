"""One step of an exported graph, outside the engine: what the parity gate compares."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import onnxruntime as ort

from training.data.waves import Floats


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
