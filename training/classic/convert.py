"""From a fitted estimator to a graph of one input, the features, and one output, its answers."""

from __future__ import annotations

import warnings
from typing import Final

from onnx import GraphProto
from onnx.utils import Extractor
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, is_classifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.svm import SVR

from training.classic.kernels import shared_kernel
from training.classic.trees import one_ensemble
from training.graphs import OPSETS

FEATURES: Final = "flat"


def converted(estimator: BaseEstimator, features: int) -> GraphProto:
    """Convert an estimator: `flat` float32 [N, features] → float32 [N, leads] or [N, classes].

    skl2onnx moves the thresholds of trees, which scikit-learn keeps in double, to the float32
    below them, so that each float32 feature falls on the same side. All else is rounded.
    """
    if not isinstance(estimator, MultiOutputRegressor):
        return _by_skl2onnx(estimator, features)
    leads = estimator.estimators_
    if isinstance(leads[0], SVR):
        return shared_kernel(leads, FEATURES)
    return one_ensemble([_by_skl2onnx(lead, features) for lead in leads])


def _by_skl2onnx(estimator: BaseEstimator, features: int) -> GraphProto:
    """Convert by skl2onnx: probabilities as an array; labels are left out."""
    with warnings.catch_warnings():
        # It reads attributes of support vector machines that scikit-learn is about to drop.
        warnings.simplefilter("ignore", FutureWarning)
        model = convert_sklearn(
            estimator,
            initial_types=[(FEATURES, FloatTensorType([None, features]))],
            options={"zipmap": False} if is_classifier(estimator) else None,
            target_opset=OPSETS,
        )
    answer = model.graph.output[-1].name
    return Extractor(model).extract_model([FEATURES], [answer]).graph
