"""Both kinds of int8: with scales taken at each answer, or fixed beforehand on the history."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta
from onnx import ModelProto, TensorProto

from stream.grid import AnyArray
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from tidecast.bundle import Bundle
from training.evaluate.case import Case
from training.explain.inputs import sample, taken
from training.lighten.method import Light, Tell, closed, name_of, opened
from training.lighten.quantise import Feed, dynamic, require_products, static

AT_ONCE: Final = 64
"""Windows in a feed of the calibration."""


class DynamicInt8(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="how", tag="int8-dynamic"
):
    """Every row of activations is quantised by its own largest value: no history is needed."""

    def lighten(self, parent: Bundle, past: Case, tell: Tell) -> Light:
        """See Method."""
        del past, tell
        model = opened(parent)
        require_products(model, name_of(parent))
        light = dynamic(model)
        return Light(closed(light, parent.manifest), {}, {"int8_share": int8_share(light)})


class StaticInt8(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="how", tag="int8-static"
):
    """Activations are quantised by the range that they had over `windows` of the history."""

    windows: Annotated[int, Meta(ge=1, le=512)] = 512

    def lighten(self, parent: Bundle, past: Case, tell: Tell) -> Light:
        """See Method."""
        model = opened(parent)
        require_products(model, name_of(parent))
        feeds = calibration(parent, past, model, self.windows)
        seen = sum(len(feed["window"]) for feed in feeds)
        tell(f"calibrated on {seen} windows, states as the engine carries them")
        light = static(model, feeds)
        facts = {"int8_share": int8_share(light), "calibration_windows": seen}
        return Light(closed(light, parent.manifest), {}, facts)


def calibration(parent: Bundle, past: Case, model: ModelProto, windows: int) -> list[Feed]:
    """What the graph takes at origins spread evenly over the past, as the engine gives it."""
    inputs = sample(OnnxPredictor(parent), past).inputs
    count = len(inputs.windows)
    places = np.linspace(0, count - 1, min(windows, count)).astype(np.int64)
    names = {node.name for node in model.graph.input}
    return [
        {name: array for name, array in _named(taken(inputs, part)).items() if name in names}
        for part in np.array_split(places, -(-len(places) // AT_ONCE))
    ]


def _named(inputs: Inputs) -> dict[str, AnyArray]:
    """Inputs by the names of the contract."""
    given: dict[str, AnyArray | None] = {
        "window": inputs.windows,
        "origin": inputs.origins,
        "state": inputs.states,
        "future": inputs.future,
    }
    return {name: array for name, array in given.items() if array is not None}


def int8_share(model: ModelProto) -> float:
    """Share of all numbers held in a graph that are int8."""
    sizes = [(tensor.data_type, int(np.prod(tensor.dims))) for tensor in model.graph.initializer]
    whole = sum(size for _, size in sizes)
    return round(sum(size for kind, size in sizes if kind == TensorProto.INT8) / whole, 4)
