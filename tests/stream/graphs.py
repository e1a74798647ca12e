"""Small ONNX graphs whose answers can be worked out by hand, as bundles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from onnx import TensorProto, helper

from stream.testing import manifest_of
from tidecast.bundle import Bundle, Channel

CONTEXT: Final = 3
LAST: Final = helper.make_node("Slice", ["window", "minus_one", "end", "axis"], ["newest"])


def _bundle(
    nodes: Sequence[Any],
    inputs: dict[str, list[int]],
    outputs: dict[str, list[int]],
    horizon: int,
    **manifest: object,
) -> Bundle:
    """inputs, outputs: shapes without the batch axis, by name."""

    def values(shapes: dict[str, list[int]]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", *shape])
            for name, shape in shapes.items()
        ]

    numbers = {"minus_one": [-1], "end": [CONTEXT], "axis": [1]}
    constants = [
        helper.make_tensor(name, TensorProto.INT64, [1], value) for name, value in numbers.items()
    ]
    graph = helper.make_graph(nodes, "small", values(inputs), values(outputs), constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    encoded: bytes = model.SerializeToString()
    plain = manifest_of("small", CONTEXT, horizon, ("value",), state_size=0)
    changes = {"graph_sha256": hashlib.sha256(encoded).hexdigest(), "graph_bytes": len(encoded)}
    return Bundle(msgspec.structs.replace(plain, **changes, **manifest), encoded)


def classifier() -> Bundle:
    """Softmax of (x, -x), x being the newest value; the target is no channel."""
    nodes = [
        LAST,
        helper.make_node("Squeeze", ["newest", "axis"], ["x"]),
        helper.make_node("Neg", ["x"], ["y"]),
        helper.make_node("Concat", ["x", "y"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    return _bundle(
        nodes,
        {"window": [CONTEXT, 1]},
        {"probability": [2]},
        1,
        task="classification",
        target="state",
        classes=("high", "low"),
        quantile_levels=(),
        lead=0,
        fallback=(0.25, 0.75),
    )


def follower(horizon: int = 3) -> Bundle:
    """The forecast of each slot is what is known ahead of it, plus the newest value."""
    nodes = [LAST, helper.make_node("Add", ["newest", "future"], ["forecast"])]
    return _bundle(
        nodes,
        {"window": [CONTEXT, 1], "future": [horizon, 1]},
        {"forecast": [horizon, 1]},
        horizon,
        quantile_levels=(0.5,),
        future=(Channel("plan"),),
    )
