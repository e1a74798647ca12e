"""A model whose forecasts are a ledger: what it was fed can be read from what it says.

The state holds how many slots the series has been fed, and a checksum over their values in their
order. Whole numbers, small enough to be exact in 32-bit floats, so that a forecast is one number
for one history, on any machine and in any batch: a slot left out, fed twice or fed in another
order shows in every forecast that follows.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import onnx
from onnx import NodeProto, TensorProto, helper

from bench.workload import CHANNEL
from tidecast.bundle import Bundle, Channel, Manifest, write_bundle

NAME: Final = "ledger"
CONTEXT: Final = 8
LEADS: Final = ("newest", "slots", "checksum", "one before", "oldest")
LEVEL: Final = 0.5
OPSET: Final = 18
MISSING: Final = -1.0
"""What a missing value is written as; no value is below zero."""
FACTOR: Final = 31.0
PRIME: Final = 65_521.0
"""A checksum is below it, and PRIME * FACTOR + PRIME below 2^24: exact in a 32-bit float."""
LARGEST_VALUE: Final = 2**24
"""Values up to here are whole numbers in a 32-bit float."""


def write_ledger(parent: Path) -> Path:
    """Write the bundle under `parent` and return its folder."""
    graph = ledger_graph()
    manifest = Manifest(
        name=NAME,
        version="1",
        task="forecast",
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        graph_bytes=len(graph),
        opset=OPSET,
        step_seconds=None,
        context=CONTEXT,
        horizon=len(LEADS),
        channels=(Channel(CHANNEL),),
        target=CHANNEL,
        quantile_levels=(LEVEL,),
        state_size=2,
        created="2026-01-01T00:00:00Z",
        data_sha256="",
        data_licence="",
        training={},
        figures={},
        tools={},
    )
    return write_bundle(parent, Bundle(manifest, graph), "<p>Not trained: it counts.</p>")


def ledger_graph() -> bytes:
    """The graph: next_state = [slots + 1, (checksum * FACTOR + value) mod PRIME]."""
    inputs = [
        _tensor("window", TensorProto.FLOAT, ["B", CONTEXT, 1]),
        _tensor("origin", TensorProto.INT64, ["B"]),
        _tensor("state", TensorProto.FLOAT, ["B", 2]),
    ]
    outputs = [
        _tensor("forecast", TensorProto.FLOAT, ["B", len(LEADS), 1]),
        _tensor("next_state", TensorProto.FLOAT, ["B", 2]),
    ]
    graph = helper.make_graph([*_constants(), *_nodes()], NAME, inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    serialised: bytes = model.SerializeToString()
    return serialised


def _nodes() -> list[NodeProto]:
    node = helper.make_node
    return [
        node("Reshape", ["window", "flat"], ["slots"]),
        node("IsNaN", ["slots"], ["gap"]),
        node("Where", ["gap", "missing", "slots"], ["known"]),
        *(
            node("Gather", ["known", f"at_{place}"], [place], axis=1)
            for place in ("newest", "before", "oldest")
        ),
        # A checksum takes a missing value as zero: it still turns with the slot.
        node("Max", ["newest", "zero"], ["value"]),
        node("Mod", ["value", "prime"], ["small"], fmod=1),
        node("Split", ["state"], ["count", "sum"], axis=1, num_outputs=2),
        node("Add", ["count", "one"], ["next_count"]),
        node("Mul", ["sum", "factor"], ["turned"]),
        node("Add", ["turned", "small"], ["added"]),
        node("Mod", ["added", "prime"], ["next_sum"], fmod=1),
        node("Concat", ["next_count", "next_sum"], ["next_state"], axis=1),
        node("Concat", ["newest", "next_count", "next_sum", "before", "oldest"], ["row"], axis=1),
        node("Unsqueeze", ["row", "last_axis"], ["forecast"]),
    ]


def _constants() -> list[NodeProto]:
    numbers = {"missing": MISSING, "zero": 0.0, "one": 1.0, "factor": FACTOR, "prime": PRIME}
    places = {"at_newest": [-1], "at_before": [-2], "at_oldest": [0]}
    shapes = {"flat": [-1, CONTEXT], "last_axis": [2]}
    return [
        *(_constant(name, TensorProto.FLOAT, [], [value]) for name, value in numbers.items()),
        *(
            _constant(name, TensorProto.INT64, [len(values)], values)
            for name, values in (places | shapes).items()
        ),
    ]


def _constant(name: str, kind: int, shape: list[int], values: list[float] | list[int]) -> NodeProto:
    value = helper.make_tensor(name, kind, shape, values)
    return helper.make_node("Constant", [], [name], value=value)


def _tensor(name: str, kind: int, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
