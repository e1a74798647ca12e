"""A small streaming GRU for the race with other systems: a step for each event, 24 numbers out.

It has what the shipped models have: normalisation by the window, a cell that is fed the newest slot
alone, a linear skip over the window. Its weights are random, which costs a processor as much as
weights that were trained.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import onnx
import onnx.parser

from stream.grid import AnyArray, FloatArray
from tidecast.bundle import Bundle, Channel, Manifest

CONTEXT: Final = 96
HIDDEN: Final = 64
HORIZON: Final = 24
OPSET: Final = 18
SEED: Final = 1

GRAPH: Final = f"""\
<ir_version: 8, opset_import: ["" : {OPSET}]>
small_gru (float[B, {CONTEXT}, 1] window, float[B, {HIDDEN}] state)
    => (float[B, {HORIZON}, 1] forecast, float[B, {HIDDEN}] next_state)
{{
    slots = Reshape(window, flat)
    missing = IsNaN(slots)
    known = Where(missing, nothing, slots)
    level = ReduceMean(known, across)
    deviation = Sub(known, level)
    norm = ReduceL2(deviation, across)
    scale = Max(norm, least_scale)
    scaled = Div(deviation, scale)
    newest = Slice(scaled, last, end, across)

    fresh = Gemm(newest, fresh_weights, fresh_bias)
    held = Gemm(state, held_weights, held_bias)
    fresh_gates, fresh_value = Split <axis = 1> (fresh, parts)
    held_gates, held_value = Split <axis = 1> (held, parts)
    opening = Add(fresh_gates, held_gates)
    gates = Sigmoid(opening)
    reset, keep = Split <axis = 1, num_outputs = 2> (gates)
    remembered = Mul(reset, held_value)
    sum = Add(fresh_value, remembered)
    candidate = Tanh(sum)
    apart = Sub(state, candidate)
    kept = Mul(keep, apart)
    next_state = Add(candidate, kept)

    features = Concat <axis = 1> (next_state, scaled)
    moves = Gemm(features, head_weights, head_bias)
    stretched = Mul(moves, scale)
    leads = Add(stretched, level)
    forecast = Unsqueeze(leads, last_axis)
}}
"""
"""The cell is the formula of `training.models.streaming_gru`, its weights as two Gemm."""


def small_gru() -> Bundle:
    """The bundle, the same bytes every time."""
    graph = _graph()
    manifest = Manifest(
        name="small-gru",
        version="1",
        task="forecast",
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        graph_bytes=len(graph),
        opset=OPSET,
        step_seconds=None,
        context=CONTEXT,
        horizon=HORIZON,
        channels=(Channel("value"),),
        target="value",
        quantile_levels=(0.5,),
        state_size=HIDDEN,
        created="2026-11-21T00:00:00+00:00",
        data_sha256="",
        data_licence="random weights, no data",
        training={"seed": SEED},
        figures={},
        tools={"onnx": onnx.__version__},
    )
    return Bundle(manifest, graph)


def _graph() -> bytes:
    model = onnx.parser.parse_model(GRAPH)
    tensors = _constants() | _weights()
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(array, name) for name, array in tensors.items()
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _constants() -> dict[str, AnyArray]:
    whole = {
        "flat": [-1, CONTEXT],
        "across": [1],
        "last": [CONTEXT - 1],
        "end": [CONTEXT],
        "parts": [2 * HIDDEN, HIDDEN],
        "last_axis": [2],
    }
    return {
        **{name: np.array(numbers, np.int64) for name, numbers in whole.items()},
        "nothing": np.zeros(1, np.float32),
        "least_scale": np.full(1, 1e-6, np.float32),
    }


def _weights() -> dict[str, FloatArray]:
    """Gates in torch's order: reset, keep, value."""
    numbers = np.random.default_rng(SEED)

    def normal(rows: int, columns: int) -> FloatArray:
        values: FloatArray = numbers.standard_normal((rows, columns), np.float32)
        return values / np.float32(np.sqrt(rows))

    return {
        "fresh_weights": normal(1, 3 * HIDDEN),
        "fresh_bias": np.zeros(3 * HIDDEN, np.float32),
        "held_weights": normal(HIDDEN, 3 * HIDDEN),
        "held_bias": np.zeros(3 * HIDDEN, np.float32),
        "head_weights": normal(HIDDEN + CONTEXT, HORIZON),
        "head_bias": np.zeros(HORIZON, np.float32),
    }
