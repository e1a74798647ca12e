"""The front of a classic model as a graph of its own: what estimators see, and target units.

Estimators learn from what ONNX Runtime makes of this very graph, not from torch's features: a tree
asks whether a number is at most a threshold, and the last bit can decide.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from onnx import helper
from torch import Tensor, nn

from stream.grid import FloatArray
from training.classic.units import Units
from training.features.front import Features, Front
from training.graphs import IR_VERSION, OPSET, run_graph, traced
from training.rows import Rows

OUTPUTS: Final = ("flat", "centre", "spread")


class Seen(NamedTuple):
    """flat: [N, features]. centre, spread: [N, 1] in the target's units."""

    flat: FloatArray
    centre: FloatArray
    spread: FloatArray


class Trunk:
    """The exported front; `graph` gives `flat`, and `centre` and `spread` where there are any."""

    def __init__(self, front: Front, channels: int, units: Units) -> None:
        covariates = 0 if front.covariates is None else len(front.covariates.centre)
        example = {
            "window": torch.zeros(2, front.shape.context, channels),
            "origin": torch.zeros(2, dtype=torch.int64),
        }
        if covariates:
            example["future"] = torch.zeros(2, front.shape.horizon, covariates)
        module = _Flat(front, units)
        with torch.no_grad():
            outputs = OUTPUTS[: len(module(*example.values()))]
        self.graph = traced(module, example, outputs)

    def see(self, rows: Rows) -> Seen:
        """What an estimator sees of the rows; a classifier's target has no units."""
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(self.graph, opset_imports=[opset], ir_version=IR_VERSION)
        found = run_graph(model.SerializeToString(), rows.feed)
        centre = found.get("centre", np.zeros(1, np.float32)).reshape(-1, 1)
        spread = found.get("spread", np.ones(1, np.float32)).reshape(-1, 1)
        return Seen(found["flat"], centre, spread)


class _Flat(nn.Module):
    """A front of which only the flat features and the target's units are asked."""

    def __init__(self, front: Front, units: Units) -> None:
        super().__init__()
        self.front = front
        self.units = units

    def forward(
        self, window: Tensor, origin: Tensor, future: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """See `Front.forward`."""
        features: Features = self.front(window, origin, future)
        return (features.flat, *self.units(features))
