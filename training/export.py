"""From torch to ONNX: a model as a graph by the bundle's contract."""

from __future__ import annotations

from typing import Final

import torch

from training.graphs import INTEGERS, sealed, traced
from training.models.model import Model

ROWS: Final = 2
"""Of the example that is traced; the graph takes any number."""


def export(model: Model) -> bytes:
    """The graph of one call, weights inside, for any number of series at once."""
    contract = model.contract
    example = {
        name: torch.zeros(ROWS, *shape, dtype=torch.int64 if name in INTEGERS else torch.float32)
        for name, shape in contract.inputs.items()
    }
    graph = sealed(traced(model, example, list(contract.outputs)), contract)
    serialised: bytes = graph.SerializeToString()
    return serialised
