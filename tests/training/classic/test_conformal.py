"""Levels from errors: the law of split conformal prediction, and an order that cannot break."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tidecast.errors import DataError
from training.classic.conformal import offsets_of

LEVELS = (0.05, 0.1, 0.5, 0.6, 0.9)
ERRORS = arrays(
    np.float32, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(-9, 9, width=32)
)


@given(ERRORS)
def test_levels_rise_around_the_estimator_s_answer(errors: np.ndarray) -> None:
    offsets = offsets_of(errors, LEVELS)
    assert (np.diff(offsets, axis=1) >= 0).all()
    assert (offsets[:, 2] == 0).all()


@pytest.mark.parametrize("level", [0.7, 0.9, 0.99])
def test_a_new_error_lies_below_an_upper_level_as_often_as_it_says(level: float) -> None:
    random = np.random.default_rng(6)
    draws = random.exponential(1, (149, 4000)).astype(np.float32)
    upper = offsets_of(draws, (level,))[:, 0]
    share = (random.exponential(1, 4000) <= upper).mean()
    assert share == pytest.approx(level, abs=0.02)


def test_each_lead_has_its_own_band() -> None:
    errors = np.random.default_rng(1).normal(0, [1, 5], (2000, 2)).astype(np.float32)
    errors[::3, 0] = np.nan
    offsets = offsets_of(errors, (0.1, 0.5, 0.9))
    np.testing.assert_allclose(offsets[:, 2], [1.28, 6.4], rtol=0.1)
    np.testing.assert_allclose(offsets[:, 0], [-1.28, -6.4], rtol=0.1)


def test_a_lead_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(DataError, match="no target 2 ahead"):
        offsets_of(np.array([[1, np.nan]], np.float32), LEVELS)
