"""Windowed models as ONNX graphs, run by ONNX Runtime."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from tests.training.models.small import Inputs
from training.export import OPSET
from training.models.windowed import Windowed


def graph_of(model: Windowed, inputs: Inputs) -> bytes:
    """Trace `model` over the first two rows of `inputs`."""
    names = [name for name, part in inputs._asdict().items() if part is not None]
    parts = tuple(part[:2] for part in inputs if part is not None)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        warnings.simplefilter("ignore", DeprecationWarning)
        # torch checks its own arguments, while it traces itself.
        warnings.filterwarnings("ignore", "Converting a tensor", module=r"torch\.nn\.modules\.rnn")
        # The first state is zeros, made in the graph for as many rows as there are.
        warnings.filterwarnings("ignore", "Exporting a model to ONNX with a batch_size other")
        torch.onnx.export(
            model,
            parts,
            path,
            input_names=names,
            output_names=["answer"],
            dynamic_axes={name: {0: "B"} for name in (*names, "answer")},
            opset_version=OPSET,
            dynamo=False,
        )
        return path.read_bytes()


def operators(graph: bytes) -> list[str]:
    """The kinds of the nodes."""
    return [node.op_type for node in onnx.load_from_string(graph).graph.node]


def run(graph: bytes, inputs: Inputs) -> np.ndarray:
    """What ONNX Runtime answers."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    asked = {node.name for node in session.get_inputs()}
    feed = {
        name: np.ascontiguousarray(part.numpy())
        for name, part in inputs._asdict().items()
        if name in asked
    }
    answer: np.ndarray = session.run(None, feed)[0]
    return answer
