"""The gate of classic models closes when a graph is not its estimator."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tests.training.classic.toy import CONTEXT, HORIZON, TASKS, front_of, rows_of, wave
from tidecast.errors import BundleError
from training.classic.assemble import assembled
from training.classic.convert import converted
from training.classic.parity import worst_error
from training.classic.tails import quantiles_tail
from training.classic.trunk import Trunk
from training.classic.units import window_units
from training.graphs import Contract


def test_a_graph_that_differs_from_scikit_learn_is_refused() -> None:
    rows = rows_of(TASKS["forecast"], wave())
    front = front_of(TASKS["forecast"])
    trunk = Trunk(front, 1, window_units(0))
    flat = trunk.see(rows).flat
    estimator = Ridge().fit(flat, np.nan_to_num(rows.targets))
    offsets = np.array([[-1, 0, 1]] * HORIZON, np.float32)
    contract = Contract(CONTEXT, 1, HORIZON, 3, classifies=False)
    body = converted(estimator, front.shape.flat)
    model = assembled(trunk.graph, body, quantiles_tail(offsets), contract)
    assert worst_error(model, estimator, rows, offsets) < 1e-5
    with pytest.raises(BundleError, match="differs from scikit-learn by"):
        worst_error(model, estimator, rows, offsets + np.float32(0.01) * offsets)
    estimator.coef_ = estimator.coef_ * 1.01
    with pytest.raises(BundleError, match="differs from scikit-learn by"):
        worst_error(model, estimator, rows, offsets)
