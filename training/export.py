"""From torch to ONNX: one step of a streaming forecaster as a graph by the bundle's contract."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Final

import onnx
import torch
from onnx import TensorProto, helper

from training.models.forecaster import Forecaster

OPSET: Final = 18
INPUTS: Final = ("window", "origin", "state")
OUTPUTS: Final = ("forecast", "next_state")


def export(model: Forecaster) -> bytes:
    """Return the graph of one step, weights inside, for any number of series at once."""
    config = model.config
    example = (
        torch.zeros(2, config.context, 1),
        torch.zeros(2, dtype=torch.int64),
        torch.zeros(2, model.state_size),
    )
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        # The tracing exporter is deprecated, yet its graph is half the size of its successor's.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            example,
            path,
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_axes={name: {0: "B"} for name in (*INPUTS, *OUTPUTS)},
            opset_version=OPSET,
            dynamo=False,
        )
        graph = onnx.load(path)
    _declare(graph, model)
    onnx.checker.check_model(graph, full_check=True)
    serialised: bytes = graph.SerializeToString()
    return serialised


def _declare(graph: onnx.ModelProto, model: Forecaster) -> None:
    """Write the contract's inputs and outputs over the traced ones.

    The tracer drops `origin`, which nothing reads, and does not see that all axes but the first
    are fixed.
    """
    config = model.config
    levels = len(config.quantile_levels)
    shapes = {
        "window": ("B", config.context, 1),
        "origin": ("B",),
        "state": ("B", model.state_size),
        "forecast": ("B", config.horizon, levels),
        "next_state": ("B", model.state_size),
    }
    kinds = {"origin": TensorProto.INT64}
    for names, values in ((INPUTS, graph.graph.input), (OUTPUTS, graph.graph.output)):
        del values[:]
        values.extend(
            helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shapes[name])
            for name in names
        )
