"""Quotas: the event that would begin one series too many is refused, wherever batches begin."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.records import LoggedRecord
from stream.series.admission import Admission
from stream.testing import NOW_MS
from tests.stream.events import Event, histories, records_of
from tests.stream.test_engine import CUTS, apply_in_parts, dumped, engine_of
from tidecast.errors import Reason
from tidecast.settings import StreamSettings


def refused_offsets(answered: list[tuple[object, ...]]) -> list[object]:
    return [offset for offset, *what in answered if what[0] is Reason.QUOTA]


@st.composite
def timed_histories(draw: st.DrawFn) -> list[LoggedRecord]:
    """Events whose records come within a few seconds of Kafka's clock, which may go back."""
    seconds = st.integers(0, 3)
    events = draw(histories())
    return records_of([event._replace(now_ms=NOW_MS + 1000 * draw(seconds)) for event in events])


@given(timed_histories(), st.integers(1, 3), st.integers(0, 2), CUTS)
def test_the_same_events_are_refused_however_the_log_is_cut_and_reloaded(
    records: list[LoggedRecord], most: int, per_s: int, cuts: set[int]
) -> None:
    engine = engine_of(grace=1, max_series=most, new_series_per_s=per_s)
    born: dict[str, int] = {}
    expected = []
    for record in records:
        series_id, second = (record.key or b"").decode(), record.timestamp // 1000
        if series_id in born:
            continue
        if len(born) == most or (per_s and list(born.values()).count(second) >= per_s):
            expected.append(record.offset)
        else:
            born[series_id] = second
    whole, answered = apply_in_parts(engine, records, set())
    assert refused_offsets(answered) == expected
    assert set(dumped(whole)) == set(born)
    parts, in_parts = apply_in_parts(engine, records, cuts)
    assert in_parts == answered
    assert dumped(parts) == dumped(whole)
    table, again = engine.new_table(), []
    for record in records:
        reloaded = engine.new_table()
        reloaded.load(dumped(table))
        table = reloaded
        again += [r for r in engine.apply(table, [record]).refusals if r.reason is Reason.QUOTA]
    assert len(again) == len(expected)


def test_a_full_partition_answers_the_series_it_has() -> None:
    engine = engine_of(max_series=1)
    table = engine.new_table()
    answers = engine.apply(table, records_of([Event(name, 1, 1.0) for name in "abab"]))
    assert answers.series_ids == ["a", "a"]
    assert {refusal.detail for refusal in answers.refusals} == {
        "the partition has stream.max_series = 1 series"
    }
    assert len(table) == 1


def test_a_refused_series_may_begin_in_another_second() -> None:
    events = [Event("a", 1, 1.0), Event("b", 1, 1.0), Event("b", 1, 1.0, now_ms=NOW_MS + 1000)]
    engine = engine_of(new_series_per_s=1)
    answers = engine.apply(engine.new_table(), records_of(events))
    assert answers.series_ids == ["a", "b"]
    assert [refusal.position for refusal in answers.refusals] == [1]


def test_series_that_ended_make_room() -> None:
    events = [Event("a", 0, 1.0), Event("b", 9, 1.0), Event("c", 9, 1.0), Event("c", 9, 2.0)]
    engine = engine_of(max_series=2, end_after_slots=4)
    answers = engine.apply(engine.new_table(), records_of(events))
    assert answers.ended == ["a"]
    assert answers.refusals == []


def test_a_full_table_refuses_a_flood_without_looking_at_it() -> None:
    engine = engine_of(max_series=1)
    table = engine.new_table()
    engine.apply(table, records_of([Event("a", 1, 1.0)]))
    flood = [Event(f"new-{number}", 1, 1.0) for number in range(5000)]
    answers = engine.apply(table, records_of(flood))
    assert len(answers.refusals) == len(flood)
    assert (len(table), len(table.series_ids)) == (1, 1)


def test_without_a_limit_nobody_is_counted() -> None:
    table = engine_of().new_table()
    verdicts = Admission(StreamSettings()).judge(table, ["a"] * 3, table.rows())
    assert verdicts == [None] * 3
