"""Each measure beside scikit-learn's, or beside its formula written out."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from tests.training.evaluate.tables import FEW
from training.evaluate.metrics import (
    Measures,
    Scale,
    mean_of,
    measure,
    scale_of,
    with_owa,
)

LEVELS = (0.1, 0.5, 0.9)
SHAPE = (3, 5, 4)
SEEDS = st.integers(0, 10_000)
Floats = NDArray[np.float64]


def drawn(seed: int) -> tuple[Floats, Floats, Scale]:
    """What came true, answers, and what errors are measured in; a fifth is not known."""
    rng = np.random.default_rng(seed)
    actual = rng.normal(10, 3, SHAPE)
    actual[rng.random(SHAPE) < 0.2] = np.nan
    answers = np.sort(rng.normal(10, 3, (*SHAPE, 3)), axis=3)
    history = rng.normal(10, 3, (3, 50))
    history[rng.random(history.shape) < 0.1] = np.nan
    return actual, answers, scale_of(history, 7)


def known(actual: Floats, answers: Floats) -> tuple[Floats, Floats]:
    present = ~np.isnan(actual)
    return actual[present], answers[present]


@FEW
@given(SEEDS)
def test_plain_errors_are_scikit_learns(seed: int) -> None:
    actual, answers, scale = drawn(seed)
    truth, quantiles = known(actual, answers)
    found = measure(actual, answers, LEVELS, scale)
    median = quantiles[:, 1]
    assert found.mse == pytest.approx(metrics.mean_squared_error(truth, median))
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(truth, median))
    assert found.mae == pytest.approx(metrics.mean_absolute_error(truth, median))
    assert found.r2 == pytest.approx(metrics.r2_score(truth, median))
    losses = [
        metrics.mean_pinball_loss(truth, quantiles[:, place], alpha=level)
        for place, level in enumerate(LEVELS)
    ]
    assert found.pinball == pytest.approx(np.mean(losses))
    expected = np.mean([2 * loss * len(truth) / np.abs(truth).sum() for loss in losses])
    assert found.weighted_quantile_loss == pytest.approx(expected)


@FEW
@given(SEEDS)
def test_scaled_errors_are_their_formulas(seed: int) -> None:
    actual, answers, scale = drawn(seed)
    errors, squares, symmetric, inside, widths, pinballs = [], [], [], [], [], []
    for row, number, lead in np.ndindex(SHAPE):
        truth, (low, middle, high) = actual[row, number, lead], answers[row, number, lead]
        if math.isnan(truth):
            continue
        errors.append(abs(truth - middle) / scale.naive[row])
        squares.append(((truth - middle) / scale.deviation[row]) ** 2)
        symmetric.append(200 * abs(truth - middle) / (abs(truth) + abs(middle)))
        inside.append(low <= truth <= high)
        widths.append(high - low)
        for level, quantile in zip(LEVELS, (low, middle, high), strict=True):
            under = truth - quantile
            pinballs.append(max(level * under, (level - 1) * under) / scale.naive[row])
    found = measure(actual, answers, LEVELS, scale)
    assert found.mase == pytest.approx(np.mean(errors))
    assert found.standard_mse == pytest.approx(np.mean(squares))
    assert found.smape == pytest.approx(np.mean(symmetric))
    assert found.coverage == pytest.approx(np.mean(inside))
    assert found.width == pytest.approx(np.mean(widths))
    assert found.scaled_pinball == pytest.approx(np.mean(pinballs))


def test_the_scale_of_a_series_is_its_seasonal_naive_error_and_its_deviation() -> None:
    history = np.array([[1.0, 2.0, 4.0, 8.0, np.nan, 9.0], [5.0] * 6])
    scale = scale_of(history, 2)
    # 4 − 1, 8 − 2, 9 − 8; where either is missing there is no difference.
    assert scale.naive[0] == pytest.approx((3 + 6 + 1) / 3)
    assert scale.deviation[0] == pytest.approx(np.nanstd(history[0]))
    assert np.isnan(scale.naive[1])


@FEW
@given(SEEDS)
def test_what_is_not_known_counts_for_nothing(seed: int) -> None:
    actual, answers, scale = drawn(seed)
    more = np.concatenate((actual, np.full((3, 2, 4), np.nan)), axis=1)
    longer = np.concatenate((answers, np.full((3, 2, 4, 3), 1e6)), axis=1)
    expected = pytest.approx(msgspec.structs.asdict(measure(actual, answers, LEVELS, scale)))
    assert msgspec.structs.asdict(measure(more, longer, LEVELS, scale)) == expected
    unanswered = np.concatenate((answers, np.full((3, 2, 4, 3), np.nan)), axis=1)
    present = np.concatenate((actual, np.ones((3, 2, 4))), axis=1)
    assert msgspec.structs.asdict(measure(present, unanswered, LEVELS, scale)) == expected


@FEW
@given(SEEDS, st.sampled_from([0.001, 1000.0]))
def test_measures_without_a_unit_do_not_know_the_unit(seed: int, factor: float) -> None:
    actual, answers, scale = drawn(seed)
    scaled = Scale(scale.naive * factor, scale.deviation * factor)
    plain = measure(actual, answers, LEVELS, scale)
    other = measure(actual * factor, answers * factor, LEVELS, scaled)
    for name in ("mase", "smape", "scaled_pinball", "weighted_quantile_loss", "standard_mae"):
        assert getattr(other, name) == pytest.approx(getattr(plain, name))
    assert other.coverage == plain.coverage


def test_one_number_stands_for_every_level_and_has_no_band() -> None:
    actual, answers, scale = drawn(1)
    point = measure(actual, answers[..., 1:2], LEVELS, scale)
    thrice = measure(actual, answers[..., [1, 1, 1]], LEVELS, scale)
    assert point.pinball == thrice.pinball
    assert (point.coverage, point.width) == (None, None)


def test_nothing_known_is_nothing_measured() -> None:
    nothing = np.full(SHAPE, np.nan)
    assert measure(nothing, np.zeros((*SHAPE, 3)), LEVELS, drawn(1)[2]) == Measures()


def test_owa_is_the_mean_of_both_errors_over_naive2s() -> None:
    assert with_owa(Measures(smape=6, mase=3), Measures(smape=12, mase=4)).owa == 0.625
    assert with_owa(Measures(smape=6), Measures(smape=12, mase=4)).owa is None


@FEW
@given(SEEDS)
def test_a_mean_leaves_out_what_is_missing(seed: int) -> None:
    numbers = drawn(seed)[0]
    numbers[0, :, 0] = np.nan
    numbers[1:, 0] = 1.0  # Something is known of all others.
    means = mean_of(numbers, axis=1)
    assert np.isnan(means[0, 0])
    np.testing.assert_allclose(means[1:], np.nanmean(numbers[1:], axis=1))
