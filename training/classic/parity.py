"""The parity gate of classic models: the graph must compute what scikit-learn computes."""

from __future__ import annotations

from typing import Final

import numpy as np
from onnx import ModelProto
from sklearn.base import BaseEstimator

from stream.grid import AnyArray, FloatArray
from tidecast.errors import BundleError
from training.classic.trunk import OUTPUTS
from training.graphs import Shape, run_graph, value_info
from training.rows import Rows
from training.tasks.forecast import BEYOND

TOLERANCE: Final = 1e-4
SHAPES: Final[dict[str, Shape]] = dict(zip(OUTPUTS, (("D",), (1, 1), (1, 1)), strict=True))


def worst_error(
    model: ModelProto, estimator: BaseEstimator, rows: Rows, offsets: FloatArray | None
) -> float:
    """Compare the graph's answers with scikit-learn's, for the features that the graph itself saw.

    offsets: [leads, levels] around the estimator's answer; None for a classifier. Errors are those
    of probabilities, or over the larger of the answer and the target's spread. Raises BundleError
    when one is larger than `TOLERANCE` or not a number.
    """
    found = run_graph(_exposed(model, offsets is not None), rows.feed)
    if offsets is None:
        expected = estimator.predict_proba(found["flat"])
        errors = np.abs(found["probability"] - expected)
    else:
        expected, spread = _in_units(estimator, found, offsets)
        errors = np.abs(found["forecast"] - expected) / np.maximum(np.abs(expected), spread)
    worst = float(errors.max())
    if not worst <= TOLERANCE:
        raise BundleError(
            f"the graph differs from scikit-learn by {worst:.1e}, more than {TOLERANCE}; "
            "no bundle was written"
        )
    return worst


def _exposed(model: ModelProto, has_units: bool) -> bytes:
    """The graph with what its trunk gives among its outputs."""
    copy = ModelProto()
    copy.CopyFrom(model)
    names = OUTPUTS if has_units else OUTPUTS[:1]
    copy.graph.output.extend(value_info(name, SHAPES[name]) for name in names)
    graph: bytes = copy.SerializeToString()
    return graph


def _in_units(
    estimator: BaseEstimator, found: dict[str, AnyArray], offsets: FloatArray
) -> tuple[AnyArray, AnyArray]:
    """What the forecast should be [N, leads, levels], and the spread of each row, in float64."""
    centre, spread = (found[name].astype(np.float64) for name in OUTPUTS[1:])
    median = estimator.predict(found["flat"]).reshape(len(found["flat"]), -1, 1)
    expected = (centre + (median + offsets) * spread).clip(-BEYOND, BEYOND)
    return expected, np.maximum(spread, 1e-30)
