"""Measures of classifiers beside scikit-learn's own for several classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tests.training.evaluate.tables import FEW
from training.evaluate.classification import calibration, classify

NAMES = ("calm", "busy", "failing")
SEEDS = st.integers(0, 10_000)


@FEW
@given(SEEDS, st.sampled_from([2, 3]))
def test_measures_are_scikit_learns(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.r_[np.arange(classes), rng.integers(0, classes, 40)]
    numbers = rng.dirichlet(np.ones(classes), len(truth))
    answered = numbers.argmax(axis=1)
    found = classify(truth.astype(np.float32), numbers, NAMES[:classes])
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, answered))
    balanced = metrics.balanced_accuracy_score(truth, answered)
    assert found.balanced_accuracy == pytest.approx(balanced)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, answered, average="macro", zero_division=0.0
    )
    assert (found.precision, found.recall, found.f1) == pytest.approx((precision, recall, f1))
    assert found.log_loss == pytest.approx(metrics.log_loss(truth, numbers))
    came_true = np.eye(classes)[truth]
    areas = metrics.roc_auc_score(came_true, numbers, average="macro")
    assert found.roc_auc == pytest.approx(areas)
    precisions = metrics.average_precision_score(came_true, numbers, average="macro")
    assert found.average_precision == pytest.approx(precisions)
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(truth, answered))
    assert sum(bin_.count for bin_ in found.calibration) == found.count == len(truth)


def test_the_brier_score_of_two_classes_is_twice_scikit_learns() -> None:
    truth, numbers = np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.7, 0.1])
    found = classify(truth, np.stack([1 - numbers, numbers], axis=1), ("no", "yes"))
    assert found.brier == pytest.approx(2 * metrics.brier_score_loss(truth, numbers))


def test_calibration_compares_confidence_with_the_share_that_was_right() -> None:
    right = np.array([True, False, True, True])
    bins = calibration(right, np.array([0.62, 0.68, 0.91, 1.0]))
    assert [(bin_.count, bin_.right) for bin_ in bins] == [(2, 0.5), (2, 1.0)]
    numbers = np.array([[0.35, 0.65], [0.35, 0.65]])
    found = classify(np.array([1.0, 0.0]), numbers, ("no", "yes"))
    assert found.calibration_error == pytest.approx(0.15)


def test_what_is_not_known_counts_for_nothing() -> None:
    numbers = np.array([[0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [np.nan, np.nan]])
    truth = np.array([0.0, 1.0, np.nan, 1.0])
    assert classify(truth, numbers, ("no", "yes")) == classify(
        truth[:2], numbers[:2], ("no", "yes")
    )


def test_a_class_that_never_came_true_has_no_area() -> None:
    found = classify(np.zeros(2), np.array([[0.9, 0.1], [0.6, 0.4]]), ("no", "yes"))
    assert found.classes["yes"].roc_auc is None
    assert found.roc_auc is None
    assert found.accuracy == found.balanced_accuracy == 1
