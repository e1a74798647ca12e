"""The grid of training combines values as the worker's rows do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.series.aggregation import Aggregation, Cells
from tidecast.errors import DataError
from training.data.grid import Combine, Grid, Span, commonest_step
from training.data.waves import Floats

STEP = 2
SERIES = 2
SLOTS = 3
Event = tuple[int, int, float | None]

numbers = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))
events = st.lists(
    st.tuples(st.integers(0, SERIES - 1), st.integers(0, SLOTS * STEP * 1000 - 1), numbers),
    max_size=40,
)


def gathered(seen: list[Event], rule: Combine, batch: int) -> tuple[Floats, int]:
    grid = Grid(SERIES, Span(0, SLOTS, STEP), [rule])
    for start in range(0, len(seen), batch):
        rows, times, values = zip(*seen[start : start + batch], strict=True)
        column = np.array(values, np.float64)[:, None]
        grid.add(np.array(rows), np.array(times), column)
    return grid.finish()


def one_by_one(seen: list[Event], rule: Combine) -> Floats:
    """What the worker's own rules make of it, an event at a time."""
    aggregation = Aggregation([0] if rule == "mean" else [], [0] if rule == "sum" else [])
    added = len(aggregation.added)
    shape = (SERIES, SLOTS, 1)
    values, marks = np.full(shape, np.nan, np.float32), np.zeros(shape, np.int64)
    totals = np.zeros((SERIES, SLOTS, added))
    for row, time, value in seen:
        slot, within = divmod(time, STEP * 1000)
        here = (np.array([row]), np.array([slot]))
        merged = aggregation.merge(
            Cells(values[here], marks[here], totals[here]),
            np.array([[np.nan if value is None else value]], np.float32),
            np.array([within]),
        )
        values[here], marks[here], totals[here] = merged
    return values


@given(events, st.sampled_from(["last", "mean", "sum"]), st.integers(1, 40))
def test_values_of_a_slot_combine_as_in_the_worker(
    seen: list[Event], rule: Combine, batch: int
) -> None:
    found, _ = gathered(seen, rule, batch)
    np.testing.assert_allclose(found, one_by_one(seen, rule), rtol=1e-6, atol=1e-6)


@given(events, st.integers(1, 40))
def test_first_is_last_with_time_reversed(seen: list[Event], batch: int) -> None:
    first, combined = gathered(seen, "first", batch)
    end = SLOTS * STEP * 1000 - 1
    turned, same = gathered([(row, end - time, v) for row, time, v in reversed(seen)], "last", 40)
    np.testing.assert_array_equal(first, turned[:, ::-1])
    assert combined == same == sum(v is not None for _, _, v in seen) - (~np.isnan(first)).sum()


def test_too_large_a_grid_says_what_to_do() -> None:
    with pytest.raises(DataError, match="give a larger step_seconds"):
        Grid(1000, Span(0, 10_000_000, 1), ["last"])


def test_the_commonest_step_is_that_of_neighbours_within_a_series() -> None:
    rows, times = np.array([0, 1, 0, 1, 0, 0]), np.array([0, 7, 60, 67, 120, 300]) * 1000
    assert commonest_step(rows, times) == (60, 0.25)
