"""Several values in one slot, against the plain formula over all of them."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.grid import FLOAT32_MAX
from stream.series.layout import Layout
from stream.series.table import SeriesTable
from tidecast.errors import WindowError

GRACE: Final = 2
PAIRS: Final = st.tuples(*[st.none() | st.floats(-1000, 1000, width=32)] * 2)
RULES: Final = ["last", "mean", "sum"]
Pair = tuple[float | None, float | None]


class Timed(NamedTuple):
    """An observation `lag` slots before the newest, `within_ms` after its slot began."""

    lag: int
    within_ms: int
    values: Pair


TIMED: Final = st.builds(Timed, st.integers(0, GRACE), st.integers(0, 3), PAIRS)


def table_with_slots(count: int, rules: tuple[str, str]) -> SeriesTable:
    """A series `a` with the given number of missing slots."""
    averaged, summed = (
        tuple(channel for channel in (0, 1) if rules[channel] == rule) for rule in ("mean", "sum")
    )
    table = SeriesTable(Layout(5, 2, 0, GRACE, averaged, summed))
    for slot in range(count):
        shift(table, slot, (None, None))
    return table


def shift(table: SeriesTable, slot: int, values: Pair, within_ms: int = 0) -> None:
    given_values = np.array([values], np.float32)
    table.shift_in(table.rows_of(["a"]), np.array([slot]), given_values, np.array([within_ms]))


def combine(table: SeriesTable, event: Timed) -> None:
    values, within_ms = np.array([event.values], np.float32), np.array([event.within_ms])
    table.combine(table.rows_of(["a"]), np.array([event.lag]), values, within_ms)


def seen(table: SeriesTable, lag: int, channel: int = 0) -> float:
    window = table.windows(np.array([0]))[0]
    return float(window[len(window) - 1 - lag, channel])


def plain(timed: list[tuple[int, float]], rule: str) -> float:
    """The value of a slot that got these values, in this order, at these times."""
    if not timed:
        return float("nan")
    values = [value for _, value in timed]
    last = sorted(timed, key=lambda one: one[0])[-1][1]
    return {"last": last, "sum": sum(values), "mean": sum(values) / len(values)}[rule]


@given(st.tuples(*[st.sampled_from(RULES)] * 2), st.lists(TIMED, max_size=30))
def test_each_slot_and_channel_combines_its_own_values_by_its_own_rule(
    rules: tuple[str, str], events: list[Timed]
) -> None:
    table = table_with_slots(5, rules)
    received: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for event in events:
        combine(table, event)
        for channel, value in enumerate(event.values):
            timed = received.setdefault((event.lag, channel), [])
            timed += [] if value is None else [(event.within_ms, value)]
            expected = plain(timed, rules[channel])
            found = seen(table, event.lag, channel)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("rule", RULES)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True), st.randoms())
def test_the_order_of_arrival_is_forgotten(rule: str, times: list[int], random: Random) -> None:
    events = [Timed(0, within_ms, (within_ms / 7, None)) for within_ms in times]
    one, other = table_with_slots(1, (rule, rule)), table_with_slots(1, (rule, rule))
    for event in events:
        combine(one, event)
    random.shuffle(events)
    for event in events:
        combine(other, event)
    assert seen(one, 0) == seen(other, 0)


def test_of_two_values_measured_at_once_the_one_that_arrives_later_counts() -> None:
    table = table_with_slots(0, ("last", "last"))
    shift(table, 0, (1.0, 1.0), within_ms=5)
    combine(table, Timed(0, 5, (2.0, None)))
    combine(table, Timed(0, 4, (3.0, 3.0)))
    assert (seen(table, 0, 0), seen(table, 0, 1)) == (2.0, 1.0)


@pytest.mark.parametrize(("rule", "expected"), [("last", 3.0), ("mean", 3.0), ("sum", 9.0)])
def test_what_a_slot_knows_of_its_values_travels_with_it(rule: str, expected: float) -> None:
    table = table_with_slots(1, (rule, "last"))
    combine(table, Timed(0, 1, (1.0, None)))
    combine(table, Timed(0, 3, (3.0, None)))
    for slot in range(1, GRACE + 1):
        shift(table, slot, (7.0, 7.0))
    combine(table, Timed(GRACE, 2, (5.0, None)))
    assert seen(table, GRACE) == expected


@pytest.mark.parametrize("rule", RULES)
def test_a_missing_value_changes_nothing(rule: str) -> None:
    table = table_with_slots(2, (rule, rule))
    combine(table, Timed(0, 0, (4.0, None)))
    before = table.dump(np.array([0]))
    combine(table, Timed(0, 1, (None, None)))
    assert table.dump(np.array([0])) == before


def test_a_value_before_the_series_began_makes_it_older() -> None:
    table = table_with_slots(1, ("last", "last"))
    combine(table, Timed(2, 0, (4.0, 4.0)))
    assert table.spans(np.array([0])).tolist() == [3]


def test_a_slot_beyond_the_grace_is_refused() -> None:
    table = table_with_slots(5, ("last", "last"))
    with pytest.raises(WindowError, match="3 back"):
        combine(table, Timed(GRACE + 1, 0, (1.0, 1.0)))


@pytest.mark.parametrize("rule", ["mean", "sum"])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1), (1, 1, -1)])
def test_the_largest_numbers_combine_to_a_finite_one(rule: str, signs: tuple[int, ...]) -> None:
    table = table_with_slots(1, (rule, rule))
    for sign in signs:
        combine(table, Timed(0, 0, (sign * FLOAT32_MAX, None)))
    exact = plain([(0, sign * FLOAT32_MAX) for sign in signs], rule)
    assert seen(table, 0) == np.float32(np.clip(exact, -FLOAT32_MAX, FLOAT32_MAX))


@pytest.mark.parametrize("step_seconds", [1, 49 * 86_400, 366 * 86_400])
def test_the_last_millisecond_of_the_longest_steps_is_known(step_seconds: int) -> None:
    table = SeriesTable(Layout(2, 2, 0, 0, step_seconds=step_seconds))
    end_ms = step_seconds * 1000 - 1
    shift(table, 0, (1.0, 1.0), within_ms=end_ms)
    combine(table, Timed(0, end_ms - 1, (2.0, 2.0)))
    assert seen(table, 0) == 1.0
