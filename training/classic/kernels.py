"""Support vector regressions of all leads as one small graph that holds each training row once.

ONNX has an operator for a single machine. One for each lead would hold the rows as often as there
are leads: 24 times 1,500 rows of 200 features are 29 MB, of which 28 repeat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import GraphProto, helper, numpy_helper
from sklearn.svm import SVR

from stream.grid import FloatArray
from training.graphs import value_info


def shared_kernel(machines: Sequence[SVR], name: str) -> GraphProto:
    """One graph for fitted SVRs with Gaussian kernels over the same rows. → [N, machines].

    name: the input's. The answer is exp(-γ |x - s|²) · α + b, with |x - s|² written out as
    |x|² - 2 x·s + |s|²: one matrix product. Features are of the order of one, so that float32 has
    digits to spare.
    """
    gamma = float(machines[0]._gamma)
    vectors, weights = _pooled(machines)
    constants = {
        "vectors": vectors,
        "lengths": -gamma * (vectors.astype(np.float64) ** 2).sum(1),
        "weights": weights,
        "biases": np.array([machine.intercept_[0] for machine in machines]),
        "gamma": np.array(gamma),
    }
    nodes = [
        helper.make_node("ReduceSumSquare", [name, "axes"], ["length"]),
        helper.make_node("Mul", ["length", "gamma"], ["far"]),
        helper.make_node("Gemm", [name, "vectors", "lengths"], ["near"], alpha=2 * gamma, transB=1),
        helper.make_node("Sub", ["near", "far"], ["exponent"]),
        helper.make_node("Exp", ["exponent"], ["kernel"]),
        helper.make_node("Gemm", ["kernel", "weights", "biases"], ["answer"]),
    ]
    initializers = [
        numpy_helper.from_array(np.asarray(array, np.float32), constant)
        for constant, array in constants.items()
    ]
    return helper.make_graph(
        nodes,
        "kernels",
        [value_info(name, (vectors.shape[1],))],
        [value_info("answer", (len(machines),))],
        [*initializers, numpy_helper.from_array(np.array([1]), "axes")],
    )


def _pooled(machines: Sequence[SVR]) -> tuple[FloatArray, FloatArray]:
    """Rows that any machine rests on [R, features], and their weights in each [R, machines]."""
    rows = np.unique(np.concatenate([machine.support_ for machine in machines]))
    vectors = np.zeros((len(rows), machines[0].support_vectors_.shape[1]), np.float32)
    weights = np.zeros((len(rows), len(machines)), np.float32)
    for column, machine in enumerate(machines):
        places = np.searchsorted(rows, machine.support_)
        vectors[places] = machine.support_vectors_
        weights[places, column] = machine.dual_coef_[0]
    return vectors, weights
