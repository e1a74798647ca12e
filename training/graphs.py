"""Putting ONNX graphs together: from torch, by the bundle's contract, and run on arrays."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import onnx
import onnxruntime as ort
import torch
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper
from torch import Tensor, nn

from stream.grid import AnyArray
from tidecast.bundle import Manifest

OPSET: Final = 18
OPSETS: Final = {"": OPSET, "ai.onnx.ml": 3}
"""Scikit-learn's models need the second one; a version reads what was written for an older one."""
IR_VERSION: Final = 8
"""The oldest form of file that may hold these operators."""

BATCH: Final = "B"
INTEGERS: Final = ("origin",)
"""Inputs of int64; all others are float32."""
RECURRENT_NOTES: Final = (
    "Exporting a model to ONNX with a batch_size other",
    "Converting a tensor",
)
"""Of the tracer, on recurrent layers; the parity gate runs batches of other sizes."""

Shape = tuple[int | str, ...]
"""Of an array without its batch axis; a name for a length that is not fixed."""


class Contract(NamedTuple):
    """What an input or output measures, by the graph contract in `tidecast.bundle`."""

    context: int
    channels: int
    horizon: int
    width: int
    classifies: bool
    covariates: int = 0
    state_size: int = 0

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all that the worker may feed, by name, without the batch axis."""
        shapes: dict[str, tuple[int, ...]] = {"window": (self.context, self.channels), "origin": ()}
        if self.covariates:
            shapes["future"] = (self.horizon, self.covariates)
        if self.state_size:
            shapes["state"] = (self.state_size,)
        return shapes

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what the worker reads, by name, without the batch axis; the answer first."""
        shapes: dict[str, tuple[int, ...]] = (
            {"probability": (self.width,)}
            if self.classifies
            else {"forecast": (self.horizon, self.width)}
        )
        if self.state_size:
            shapes["next_state"] = (self.state_size,)
        return shapes


def contract_of(manifest: Manifest) -> Contract:
    """The graph contract that a manifest declares."""
    return Contract(
        context=manifest.context,
        channels=len(manifest.channels),
        horizon=manifest.horizon,
        width=manifest.width,
        classifies=manifest.task == "classification",
        covariates=len(manifest.future),
        state_size=manifest.state_size,
    )


def traced(module: nn.Module, example: Mapping[str, Tensor], outputs: Sequence[str]) -> GraphProto:
    """Export `module`, called with the example's tensors in order, for any length of first axis."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        # The tracing exporter is deprecated, yet its graph is half the size of its successor's.
        warnings.simplefilter("ignore", DeprecationWarning)
        for note in RECURRENT_NOTES:
            warnings.filterwarnings("ignore", note)
        torch.onnx.export(
            module,
            tuple(example.values()),
            path,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_axes={name: {0: BATCH} for name in (*example, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
        return onnx.load(path).graph


def sealed(graph: GraphProto, contract: Contract) -> ModelProto:
    """Make a checked model of a graph whose loose ends bear the contract's names.

    Inputs that nothing reads are declared as well. Shapes in between are left for the runtime to
    find: converters note some of them wrongly.
    """
    for values, shapes in ((graph.input, contract.inputs), (graph.output, contract.outputs)):
        del values[:]
        values.extend(value_info(name, shape) for name, shape in shapes.items())
    del graph.value_info[:]
    graph.name, graph.doc_string = "tidecast", ""
    used = {"", *(node.domain for node in graph.node)}
    opsets = [helper.make_opsetid(domain, OPSETS[domain]) for domain in sorted(used)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def value_info(name: str, shape: Shape) -> ValueInfoProto:
    """Declare an input or output; shape: without the batch axis."""
    kind = TensorProto.INT64 if name in INTEGERS else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, (BATCH, *shape))


def run_graph(graph: bytes, feed: Mapping[str, object]) -> dict[str, AnyArray]:
    """All outputs of a graph, on one thread; inputs that it does not have are left out."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(graph, options, ["CPUExecutionProvider"])
    given = {node.name: feed[node.name] for node in session.get_inputs()}
    names = [node.name for node in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))
