"""States rebuilt from windows: when they are the carried ones, and what a late value does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.series.table import SeriesTable
from tests.stream.events import CONTEXT, QUIET_MOVES, Event, histories, records_of
from tests.stream.test_engine import dumped, engine_of

GRACE = CONTEXT - 1


def table_of(events: list[Event], grace: int = GRACE) -> SeriesTable:
    engine = engine_of(grace)
    table = engine.new_table()
    engine.apply(table, records_of(events))
    return table


@given(histories(QUIET_MOVES, size=80))
def test_a_rebuilt_state_is_the_carried_one_while_the_window_holds_all(
    events: list[Event],
) -> None:
    engine, table = engine_of(), table_of(events)
    rows = np.arange(len(table))
    carried, before = table.states(rows), table.states_before(rows)
    engine.rebuild_states(table, rows)
    begun = {event.series_id: event.slot for event in reversed(events)}
    for row, series_id in enumerate(table.series_ids):
        young = int(table.newest(rows)[row]) - begun[series_id] < CONTEXT
        if young:
            np.testing.assert_array_equal(table.states(rows)[row], carried[row])
            np.testing.assert_array_equal(table.states_before(rows)[row], before[row])
        else:
            assert table.states(rows)[row, 0] == CONTEXT


@given(
    st.lists(st.none() | st.integers(-9, 9).map(float), min_size=2, max_size=CONTEXT),
    st.integers(0, CONTEXT - 2),
)
def test_a_late_value_leaves_what_it_would_have_left_in_order(
    values: list[float | None], held_back: int
) -> None:
    """While the window holds the whole series, and the value is not its first."""
    in_order = [Event("a", slot, value, 0) for slot, value in enumerate(values)]
    place = 1 + held_back % (len(values) - 1)
    late = [*in_order[:place], *in_order[place + 1 :], in_order[place]]
    assert dumped(table_of(late)) == dumped(table_of(in_order))


@given(st.integers(1, GRACE))
def test_a_late_first_value_makes_the_series_older(lag: int) -> None:
    late = table_of([Event("a", 10, 2.0, 0), Event("a", 10 - lag, 3.0, 0)])
    in_order = table_of([Event("a", 10 - lag, 3.0, 0), Event("a", 10, 2.0, 0)])
    assert dumped(late) == dumped(in_order)


def test_a_late_value_in_a_long_series_rebuilds_its_state_from_the_window() -> None:
    events = [Event("a", slot, 1.0) for slot in range(3 * CONTEXT)]
    table = table_of([*events, Event("a", 3 * CONTEXT - 2, 5.0)])
    rows = np.array([0])
    assert table.states(rows).tolist() == [[CONTEXT, CONTEXT + 4.0]]
    assert table.states_before(rows).tolist() == [[CONTEXT - 1.0, CONTEXT + 3.0]]


def test_rebuilding_nothing_is_allowed() -> None:
    engine = engine_of()
    engine.rebuild_states(engine.new_table(), np.array([], np.int64))
