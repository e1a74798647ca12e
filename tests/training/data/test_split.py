from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.data.writing import table_of
from tidecast.errors import DataError
from training.data.folds import BlockedFolds, FoldRule, RollingFolds
from training.data.split import Rows, Shares
from training.data.table import Split

rules = st.one_of(
    st.builds(RollingFolds, st.integers(1, 60), st.integers(2, 6), st.none() | st.integers(1, 200)),
    st.builds(BlockedFolds, st.integers(2, 6), st.floats(0.05, 0.9)),
)
cuts = st.tuples(st.integers(0, 50), st.integers(1, 400), st.integers(1, 100), st.integers(1, 100))


def test_rows_are_the_published_protocol_and_leave_the_rest_to_nobody() -> None:
    table = table_of(np.zeros((1, 17_420)))
    assert Rows(8640, 2880, 2880).cut(table, 96) == Split(8640, 11_520, 14_400)


def test_more_rows_than_there_are_is_an_error() -> None:
    with pytest.raises(DataError, match="the data has 100 slots; give more history or fewer rows"):
        Rows(80, 20, 20).cut(table_of(np.zeros((1, 100))), 5)


@pytest.mark.parametrize("rule", [Shares(0.2, 0.2), Rows(60, 20, 20)])
def test_a_part_that_holds_no_forecast_is_an_error(rule: Shares | Rows) -> None:
    with pytest.raises(DataError, match="the horizon, 24"):
        rule.cut(table_of(np.zeros((1, 100))), 24)


@given(rules, cuts, st.integers(0, 20))
def test_no_fold_trains_on_what_comes_after_its_validation_part(
    rule: FoldRule, parts: tuple[int, int, int, int], horizon: int
) -> None:
    start, train, validate, _ = parts
    cut = Split(start + train, start + train + validate, start + sum(parts[1:]), start)
    try:
        folds = rule.folds_of(cut, horizon)
    except DataError:
        return
    assert len(folds) == rule.folds
    for fold in folds:
        assert cut.start <= fold.start < fold.validate - horizon
        assert fold.validate + horizon < fold.test <= cut.test
        assert fold.slots == fold.test  # nothing of the table's test part
    for earlier, later in pairwise(folds):
        assert earlier.test <= later.validate
        assert isinstance(rule, RollingFolds) or earlier.test <= later.start


def test_rolling_folds_end_where_the_test_part_begins() -> None:
    cut = Split(70, 90, 100)
    assert RollingFolds(10, 3).folds_of(cut, 5) == [
        Split(60, 70, 70),
        Split(70, 80, 80),
        Split(80, 90, 90),
    ]
    assert RollingFolds(10, 2, train_slots=30).folds_of(cut, 5) == [
        Split(70, 80, 80, 40),
        Split(80, 90, 90, 50),
    ]


def test_blocks_share_no_slot() -> None:
    folds = BlockedFolds(3, 0.2).folds_of(Split(70, 90, 100), 5)
    assert folds == [Split(24, 30, 30, 0), Split(54, 60, 60, 30), Split(84, 90, 90, 60)]


def test_too_many_folds_say_so() -> None:
    with pytest.raises(DataError, match="ask for fewer folds or give more history"):
        BlockedFolds(6).folds_of(Split(70, 90, 100), 5)
