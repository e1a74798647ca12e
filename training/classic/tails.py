"""The last few operators of a classic graph: from an estimator's numbers to the contract's."""

from __future__ import annotations

from typing import Final

import numpy as np
from onnx import GraphProto, helper, numpy_helper

from stream.grid import FloatArray
from training.graphs import value_info
from training.tasks.forecast import BEYOND

ANSWER: Final = "estimator/answer"


def quantiles_tail(offsets: FloatArray) -> GraphProto:
    """Answer [B, leads], centre, spread [B, 1, 1] → forecast [B, leads, levels] in units.

    offsets: [leads, levels] from the median, rising. Adding the same number to two, multiplying by
    a spread that is not negative and cutting off are each monotone in float32: levels cannot cross.
    """
    leads, levels = offsets.shape
    constants = {
        "leads": np.array([-1, leads, 1]),
        "offsets": offsets,
        "least": np.array(-BEYOND, np.float32),
        "most": np.array(BEYOND, np.float32),
    }
    nodes = [
        helper.make_node("Reshape", [ANSWER, "leads"], ["median"]),
        helper.make_node("Add", ["median", "offsets"], ["quantiles"]),
        helper.make_node("Mul", ["quantiles", "spread"], ["apart"]),
        helper.make_node("Add", ["apart", "centre"], ["unbounded"]),
        helper.make_node("Clip", ["unbounded", "least", "most"], ["forecast"]),
    ]
    return helper.make_graph(
        nodes,
        "quantiles",
        [
            value_info(ANSWER, (leads,)),
            value_info("centre", (1, 1)),
            value_info("spread", (1, 1)),
        ],
        [value_info("forecast", (leads, levels))],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )


def probability_tail(classes: int) -> GraphProto:
    """Answer [B, classes] → probability, as it is: scikit-learn's sum to one."""
    return helper.make_graph(
        [helper.make_node("Identity", [ANSWER], ["probability"])],
        "probability",
        [value_info(ANSWER, (classes,))],
        [value_info("probability", (classes,))],
    )
