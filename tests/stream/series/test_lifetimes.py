"""Series that end: dropped by a sweep, at the same event however the log is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.series.table import SeriesTable
from tests.stream.events import CONTEXT, Event, histories, records_of
from tests.stream.test_engine import CUTS, apply_in_parts, dumped, engine_of

LONG_MOVES = (1, 1, 2, 3, 0, -1, 5, 9, CONTEXT + 3)
END_AFTER = st.sampled_from([2, 3, 8, 13])
ROOM = st.sampled_from([2, 1000])


def plainly_left(events: list[Event], end_after: int) -> set[str]:
    """The series left after all events, by the rule said slowly."""
    every, newest = max(1, end_after // 4), dict[str, int]()
    for event in events:
        if event.series_id in newest and event.slot < newest[event.series_id] - 1:
            continue
        before = max(newest.values(), default=event.slot)
        newest[event.series_id] = max(event.slot, newest.get(event.series_id, event.slot))
        watermark = max(newest.values())
        if watermark // every > before // every:
            newest = {name: slot for name, slot in newest.items() if slot >= watermark - end_after}
    return set(newest)


@given(histories(LONG_MOVES), END_AFTER)
def test_what_is_left_is_what_the_rule_says(events: list[Event], end_after: int) -> None:
    engine = engine_of(grace=1, end_after_slots=end_after)
    table, _ = apply_in_parts(engine, records_of(events), set())
    assert set(dumped(table)) == plainly_left(events, end_after)


@given(histories(LONG_MOVES), END_AFTER, ROOM, st.integers(0, 1), CUTS)
def test_a_sweep_happens_at_the_same_event_however_the_log_is_cut(
    events: list[Event], end_after: int, room: int, remembered: int, cuts: set[int]
) -> None:
    engine = engine_of(1, end_after_slots=end_after, max_series=room, remembered_ids=remembered)
    records = records_of([event._replace(event_id=str(event.slot % 3)) for event in events])
    whole, answered = apply_in_parts(engine, records, set())
    parts, in_parts = apply_in_parts(engine, records, cuts)
    assert in_parts == answered
    assert dumped(parts) == dumped(whole)


@given(histories(LONG_MOVES), END_AFTER, CUTS)
def test_a_store_that_drops_what_ended_and_keeps_what_changed_holds_the_table(
    events: list[Event], end_after: int, cuts: set[int]
) -> None:
    """As a checkpoint after each batch does; and the table goes on from there as if reloaded."""
    engine, records = engine_of(1, end_after_slots=end_after), records_of(events)
    table, stored = engine.new_table(), dict[str, bytes]()
    edges = [0, *sorted(cut for cut in cuts if cut < len(records)), len(records)]
    for start, end in pairwise(edges):
        answers = engine.apply(table, records[start:end])
        changed = table.dump(answers.touched)
        assert not changed.keys() & set(answers.ended)
        stored = {name: row for name, row in stored.items() if name not in answers.ended} | changed
        assert stored == dumped(table)
        table = engine.new_table()
        table.load(stored)


def ended_in(*events: Event, end_after: int = 4) -> tuple[SeriesTable, list[str]]:
    engine = engine_of(end_after_slots=end_after)
    table = engine.new_table()
    return table, engine.apply(table, records_of(events)).ended


@pytest.mark.parametrize(("slot", "ended"), [(4, []), (5, ["a"]), (6, ["a"])])
def test_a_series_ends_when_it_falls_behind_by_more_than_is_said(
    slot: int, ended: list[str]
) -> None:
    table, found = ended_in(Event("a", 0, 1.0), Event("b", 0, 1.0), Event("b", slot, 1.0))
    assert found == ended
    assert (table.row_of("a") is None) is bool(ended)


def test_a_series_that_comes_back_in_the_same_batch_begins_anew_and_is_kept() -> None:
    table, ended = ended_in(
        Event("a", 0, 1.0), Event("b", 9, 1.0), Event("a", 9, 5.0), Event("b", 9, 2.0)
    )
    assert ended == []
    assert table.spans(table.rows_of(["a"])).tolist() == [1]


def test_the_answers_of_a_series_that_ends_keep_its_name() -> None:
    """Though its row may have been given to another one within the batch."""
    engine = engine_of(end_after_slots=4)
    events = [Event("a", 0, 1.0), Event("b", 9, 1.0), Event("c", 9, 1.0)]
    table = engine.new_table()
    answers = engine.apply(table, records_of(events))
    assert answers.series_ids == ["a", "b", "c"]
    assert (answers.ended, len(table), len(table.series_ids)) == (["a"], 2, 2)


def test_the_series_that_is_furthest_ahead_never_ends() -> None:
    table, ended = ended_in(Event("a", 1000, 1.0), Event("b", 0, 1.0), Event("b", 1, 1.0))
    assert (ended, len(table)) == ([], 2)


def test_never_is_the_default() -> None:
    table, ended = ended_in(Event("a", 0, 1.0), Event("b", 10**6, 1.0), end_after=0)
    assert (ended, len(table)) == ([], 2)
