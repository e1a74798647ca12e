"""Several values in one slot, against the plain formula over all of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.grid import FLOAT32_MAX
from stream.series_table import Layout, SeriesTable
from tidecast.errors import WindowError

GRACE: Final = 2
LAYOUT: Final = Layout(context=5, channels=2, state_size=0, grace=GRACE)
PAIRS: Final = st.tuples(*[st.none() | st.floats(-1000, 1000, width=32)] * 2)


def table_with_slots(count: int) -> SeriesTable:
    """A series `a` with the given number of missing slots."""
    table = SeriesTable(LAYOUT)
    rows = table.rows_of(["a"])
    for slot in range(count):
        table.shift_in(rows, np.array([slot]), np.full((1, 2), np.nan, np.float32))
    return table


def combine(
    table: SeriesTable, lag: int, values: tuple[float | None, float | None], rule: str
) -> None:
    given_values = np.array([values], np.float32)
    table.combine(table.rows_of(["a"]), np.array([lag]), given_values, rule)


def plain(values: list[float], rule: str) -> float:
    if not values:
        return float("nan")
    rules = {"last": values[-1], "sum": sum(values), "mean": sum(values) / len(values)}
    return rules[rule]


@pytest.mark.parametrize("rule", ["last", "mean", "sum"])
@given(events=st.lists(st.tuples(st.integers(0, GRACE), PAIRS), max_size=30))
def test_each_slot_and_channel_combines_its_own_values(
    rule: str, events: list[tuple[int, tuple[float | None, float | None]]]
) -> None:
    table = table_with_slots(LAYOUT.context)
    received: dict[tuple[int, int], list[float]] = {}
    for lag, values in events:
        combine(table, lag, values, rule)
        for channel, value in enumerate(values):
            received.setdefault((lag, channel), []).extend([] if value is None else [value])
            found = table.windows(np.array([0]))[0, LAYOUT.context - 1 - lag, channel]
            expected = plain(received[lag, channel], rule)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("rule", "expected"), [("last", 5.0), ("mean", 3.0), ("sum", 9.0)])
def test_counts_travel_with_their_slot(rule: str, expected: float) -> None:
    table = table_with_slots(1)
    for value in (1.0, 3.0):
        combine(table, 0, (value, None), rule)
    for slot in range(1, GRACE + 1):
        table.shift_in(np.array([0]), np.array([slot]), np.array([[7, 7]], np.float32))
    combine(table, GRACE, (5.0, None), rule)
    assert table.windows(np.array([0]))[0, LAYOUT.context - 1 - GRACE, 0] == expected


def test_a_missing_value_changes_nothing() -> None:
    table = table_with_slots(2)
    combine(table, 0, (4.0, None), "mean")
    before = table.dump(np.array([0]))
    combine(table, 0, (None, None), "mean")
    assert table.dump(np.array([0])) == before


def test_a_value_before_the_series_began_makes_it_older() -> None:
    table = table_with_slots(1)
    combine(table, 2, (4.0, 4.0), "last")
    assert table.spans(np.array([0])).tolist() == [3]


def test_a_slot_beyond_the_grace_is_refused() -> None:
    table = table_with_slots(LAYOUT.context)
    with pytest.raises(WindowError, match="3 back"):
        combine(table, GRACE + 1, (1.0, 1.0), "last")


@pytest.mark.parametrize("rule", ["mean", "sum"])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_the_largest_numbers_combine_to_a_finite_one(rule: str, signs: tuple[int, int]) -> None:
    table = table_with_slots(1)
    for sign in signs:
        combine(table, 0, (sign * FLOAT32_MAX, None), rule)
    expected = np.clip(plain([sign * FLOAT32_MAX for sign in signs], rule), -FLOAT32_MAX, None)
    found = table.windows(np.array([0]))[0, -1, 0]
    assert found == np.float32(min(expected, FLOAT32_MAX))
