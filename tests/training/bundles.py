"""Bundles made by hand, around a graph that a test has just built."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from stream.engine import Engine
from stream.grid import FloatArray
from stream.onnx_predictor import OnnxPredictor
from stream.records import LoggedRecord
from stream.testing import NOW_MS, manifest_of
from tidecast.bundle import Bundle
from tidecast.settings import StreamSettings


def bundle_of(
    graph: bytes, context: int, horizon: int = 1, state_size: int = 0, **changes: object
) -> Bundle:
    """A bundle of one channel `value`; `changes` are other fields of its manifest."""
    plain = manifest_of("tried", context, horizon, ("value",), state_size)
    facts = {"graph_sha256": hashlib.sha256(graph).hexdigest(), "graph_bytes": len(graph)}
    return Bundle(msgspec.structs.replace(plain, **facts, **changes), graph)


def served(bundle: Bundle, values: FloatArray, first_s: int, step_s: int) -> FloatArray:
    """What the worker's engine answers to each of the values [T], NaN = null, of one series.

    first_s: the time of the first value. → [T, horizon, width].
    """
    engine = Engine(OnnxPredictor(bundle), StreamSettings(step_seconds=step_s))
    records = [
        LoggedRecord(
            offset,
            NOW_MS,
            b"a",
            msgspec.json.encode(
                {
                    "series_id": "a",
                    "timestamp": (first_s + offset * step_s) * 1000,
                    "values": {"value": None if np.isnan(value) else float(value)},
                }
            ),
        )
        for offset, value in enumerate(values)
    ]
    return engine.apply(engine.new_table(), records).forecasts
