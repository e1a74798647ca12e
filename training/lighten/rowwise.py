"""Dynamic quantisation in which each series has a scale of its own.

ONNX Runtime's takes one scale for a whole batch: what a series is answered would depend on which
others are in the batch with it, and a replay in other batches would answer otherwise. So products
are first put in units of each row,

    x ─► largest of the row ─► x / largest, within [-1, 1] ─► product ─► · largest

and the scale that ONNX Runtime would look for in the batch is then the constant one of [-1, 1].
"""

from __future__ import annotations

from typing import Final

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, numpy_helper

from training.ensemble.part import Part
from training.features.window import SMALLEST

AXES: Final = {"MatMul": (-1,), "Conv": (1, 2)}
"""Of the operators that are quantised: the axes which belong to one row of the input."""

STEP, ZERO, LEAST = "int8/step", "int8/zero", "int8/least"
STEPS: Final = 127
"""On either side of zero."""


def in_units_of_rows(graph: GraphProto) -> None:
    """Put an input of each product with constant weights in units of its row, in place.

    The graph has no Gemm left, and computes what it did.
    """
    weights = {tensor.name: tensor for tensor in graph.initializer}
    part = Part()
    part.constant(LEAST, SMALLEST)
    seen: set[str] = set()
    for node in graph.node:
        if node.op_type not in AXES or node.input[1] not in weights:
            part.nodes.append(node)
            continue
        largest = f"int8/{node.op_type}/{node.input[0]}/largest"
        if largest not in seen:
            seen.add(largest)
            _measure(part, node.input[0], AXES[node.op_type], largest)
        _rescale(part, node, largest, weights)
    _replace(graph, part)


def _measure(part: Part, name: str, axes: tuple[int, ...], largest: str) -> None:
    """The largest absolute value of each row, and the rows over it."""
    part.add("Abs", [name], [f"{largest}/sizes"])
    over = part.constant(f"{largest}/axes", axes)
    part.add("ReduceMax", [f"{largest}/sizes", over], [f"{largest}/found"], keepdims=1)
    part.add("Max", [f"{largest}/found", LEAST], [largest])
    part.add("Div", [name, largest], [f"{largest}/share"])


def _rescale(part: Part, node: NodeProto, largest: str, weights: dict[str, TensorProto]) -> None:
    """The product of the shares, then the unit again, then the bias of a convolution."""
    answer = node.output[0]
    node.name = node.name or answer
    node.input[0], node.output[0] = f"{largest}/share", f"{answer}/of_shares"
    part.nodes.append(node)
    if len(node.input) < 3:
        part.add("Mul", [node.output[0], largest], [answer])
        return
    bias = numpy_helper.to_array(weights[node.input.pop()])
    part.add("Mul", [node.output[0], largest], [f"{answer}/unbiased"])
    column = numpy_helper.from_array(np.expand_dims(bias, 1), f"{answer}/bias")
    part.constants.append(column)
    part.add("Add", [f"{answer}/unbiased", column.name], [answer])


def with_constant_scale(graph: GraphProto) -> None:
    """Quantise shares within [-1, 1] by what is known of them, in place, not by the batch."""
    part = Part()
    part.constant(STEP, 1 / STEPS)
    part.constants.append(numpy_helper.from_array(np.uint8(STEPS + 1), ZERO))
    known: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            quantised, scale, zero = node.output
            known |= {scale: STEP, zero: ZERO}
            part.add("QuantizeLinear", [node.input[0], STEP, ZERO], [quantised])
        else:
            part.nodes.append(node)
    for node in part.nodes:
        for place, name in enumerate(node.input):
            node.input[place] = known.get(name, name)
    _replace(graph, part)


def _replace(graph: GraphProto, part: Part) -> None:
    del graph.node[:]
    graph.node.extend(part.nodes)
    graph.initializer.extend(part.constants)
