"""From torch to ONNX: one step of a streaming forecaster as a graph by the bundle's contract."""

from __future__ import annotations

import torch

from training.graphs import Contract, sealed, traced
from training.models.forecaster import Forecaster


def export(model: Forecaster) -> bytes:
    """Return the graph of one step, weights inside, for any number of series at once."""
    config = model.config
    example = {
        "window": torch.zeros(2, config.context, 1),
        "origin": torch.zeros(2, dtype=torch.int64),
        "state": torch.zeros(2, model.state_size),
    }
    contract = Contract(
        context=config.context,
        channels=1,
        horizon=config.horizon,
        width=len(config.quantile_levels),
        classifies=False,
        state_size=model.state_size,
    )
    graph: bytes = sealed(
        traced(model, example, list(contract.outputs)), contract
    ).SerializeToString()
    return graph
