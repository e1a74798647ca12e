"""Rows that teach, rows that are held back, and samples of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stream.grid import IntArray
from tidecast.errors import DataError
from training.classic.parts import FEWEST, at_most, split_by_time
from training.classic.targets import without_gaps, without_units

ORIGINS = arrays(np.int64, st.integers(2 * FEWEST, 200), elements=st.integers(0, 3000))


@given(ORIGINS, st.integers(0, 300))
def test_no_row_that_teaches_reaches_into_the_time_that_is_held_back(
    times: IntArray, reach_s: int
) -> None:
    try:
        taught, held = split_by_time(times, reach_s)
    except DataError:
        return
    assert times[taught].max() + reach_s <= times[held].min()
    assert not set(taught.tolist()) & set(held.tolist())
    assert len(held) == pytest.approx(len(times) / 5, abs=1)


def test_rows_of_one_time_are_split_in_the_order_they_came_in() -> None:
    taught, held = split_by_time(np.zeros(100, np.int64), 0)
    assert taught.tolist() == list(range(80))
    assert held.tolist() == list(range(80, 100))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(1, 250))
def test_a_sample_has_the_same_share_of_each_class(classes: list[int], most: int) -> None:
    groups = np.array(classes)
    chosen = np.arange(1000, 1000 + len(groups))
    drawn = at_most(most, chosen, groups, seed=1)
    assert (np.diff(drawn) > 0).all()
    assert set(drawn.tolist()) <= set(chosen.tolist())
    share = min(most / len(groups), 1)
    for group in set(classes):
        wanted = share * np.sum(groups == group)
        assert wanted <= np.sum(groups[drawn - 1000] == group) < wanted + 1.001


def test_a_missing_target_is_bridged_from_its_neighbours() -> None:
    targets = np.array([[1, np.nan, 3, 4], [np.nan, 5, 7, np.nan], [1, 2, 3, 4]], np.float32)
    assert without_gaps(targets).tolist() == [[1, 2, 3, 4], [5, 5, 7, 7], [1, 2, 3, 4]]


def test_a_target_far_off_a_constant_window_is_cut_off() -> None:
    scaled = without_units(
        np.array([[8.0, 7.0, np.nan]], np.float32), np.array([[7.0]]), np.array([[0.0]])
    )
    assert scaled[0, :2].tolist() == [50, 0]
    assert np.isnan(scaled[0, 2])
