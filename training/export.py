"""From torch to ONNX: a model as a graph by the bundle's contract."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Final

import onnx
import torch
from onnx import TensorProto, helper

from training.models.model import Model, Shape, Signature

OPSET: Final = 18
BATCH_AXIS: Final = "B"
TRACED: Final = 2
"""Rows of the example that is traced; the graph takes any number."""
WHOLE_NUMBERS: Final = ("origin",)
"""Inputs of int64; all others are float32."""


def export(model: Model) -> bytes:
    """The graph of one call, weights inside, for any number of series at once."""
    signature = model.signature
    names = (*signature.inputs, *signature.outputs)
    example = tuple(
        torch.zeros(TRACED, *shape, dtype=torch.int64 if name in WHOLE_NUMBERS else torch.float32)
        for name, shape in signature.inputs.items()
    )
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        # The tracing exporter is deprecated, yet its graph is half the size of its successor's.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            example,
            path,
            input_names=list(signature.inputs),
            output_names=list(signature.outputs),
            dynamic_axes={name: {0: BATCH_AXIS} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )
        graph = onnx.load(path)
    declare(graph, signature)
    onnx.checker.check_model(graph, full_check=True)
    serialised: bytes = graph.SerializeToString()
    return serialised


def declare(graph: onnx.ModelProto, signature: Signature) -> None:
    """Write the contract's inputs and outputs over those of the graph.

    The tracer drops inputs that nothing reads, and does not see that all axes but the first are
    fixed.
    """
    for shapes, values in (
        (signature.inputs, graph.graph.input),
        (signature.outputs, graph.graph.output),
    ):
        del values[:]
        values.extend(_declared(name, shape) for name, shape in shapes.items())


def _declared(name: str, shape: Shape) -> onnx.ValueInfoProto:
    kind = TensorProto.INT64 if name in WHOLE_NUMBERS else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, (BATCH_AXIS, *shape))
