"""Events that come twice: recognised by their ids, for as long as a series remembers them."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from stream.decoder import Decoder
from stream.records import LoggedRecord
from tests.stream.events import CONTEXT, Event, histories, records_of
from tests.stream.test_engine import CUTS, apply_in_parts, dumped, engine_of
from tidecast.errors import Reason

IDS = st.none() | st.sampled_from(["1", "2", "3", "4", "é" * 32])


@st.composite
def named_histories(draw: st.DrawFn) -> list[Event]:
    events = draw(histories(moves=(1, 1, 0, -1, -2, CONTEXT + 3)))
    return [event._replace(event_id=draw(IDS)) for event in events]


@given(named_histories(), st.integers(1, 3), CUTS)
def test_a_repeat_is_rejected_and_changes_nothing(
    events: list[Event], remembered: int, cuts: set[int]
) -> None:
    """However the log is cut: what is left when the repeats are taken out gives the same table."""
    engine, records = engine_of(grace=1, remembered_ids=remembered), records_of(events)
    table, answered = apply_in_parts(engine, records, cuts)
    refused = {offset: what[0] for offset, *what in answered if len(what) == 2}
    held: dict[str, deque[str]] = {}
    for offset, event in enumerate(events):
        ids = held.setdefault(event.series_id, deque(maxlen=remembered))
        repeated = event.event_id in ids
        assert (refused.get(offset) is Reason.DUPLICATE) is repeated
        if event.event_id is not None and offset not in refused:
            ids.append(event.event_id)
    fresh = [record for record in records if refused.get(record.offset) is not Reason.DUPLICATE]
    without, _ = apply_in_parts(engine, fresh, set())
    assert dumped(table) == dumped(without)


def test_an_id_belongs_to_its_series() -> None:
    events = [Event(series_id, 1, 1.0, event_id="x") for series_id in "aba"]
    engine = engine_of(remembered_ids=4)
    (refusal,) = engine.apply(engine.new_table(), records_of(events)).refusals
    assert (refusal.position, refusal.reason) == (2, Reason.DUPLICATE)


def test_a_late_event_may_be_sent_again_with_the_right_time() -> None:
    events = [
        Event("a", 9, 1.0),
        Event("a", 3, 2.0, event_id="x"),
        Event("a", 9, 2.0, event_id="x"),
    ]
    engine = engine_of(remembered_ids=4)
    answers = engine.apply(engine.new_table(), records_of(events))
    assert [(refusal.position, refusal.reason) for refusal in answers.refusals] == [
        (1, Reason.LATE)
    ]


def test_a_fresh_start_forgets_no_ids() -> None:
    events = [
        Event("a", 1, 1.0, event_id="x"),
        Event("a", 99, 2.0),
        Event("a", 99, 1.0, event_id="x"),
    ]
    engine = engine_of(remembered_ids=4)
    answers = engine.apply(engine.new_table(), records_of(events))
    assert [refusal.reason for refusal in answers.refusals] == [Reason.DUPLICATE]


def test_a_stream_that_remembers_nothing_takes_ids_and_keeps_none() -> None:
    events = [Event("a", 1, 1.0, event_id="x")] * 2
    engine = engine_of()
    assert engine.apply(engine.new_table(), records_of(events)).refusals == []
    assert engine.layout.dtype()["events"].itemsize == 0


def test_hashes_are_the_same_on_every_machine() -> None:
    (record, other) = records_of([Event("a", 1, 1.0, event_id="x"), Event("a", 1, 1.0)])
    events = Decoder(["value"], 300, event_ids=True).decode([record, other]).events
    assert events is not None
    assert [hex(event) for event in events.tolist()] == ["0x4f586ef96743df4a", "0x0"]


def test_an_id_is_text_of_at_most_64_bytes() -> None:
    decoder = Decoder(["value"], 300)
    good, bad = "é" * 32, ["é" * 33, "x" * 65, ""]
    (record,) = records_of([Event("a", 1, 1.0, event_id=good)])
    assert decoder.decode([record]).refusals == []
    for event_id in bad:
        value = (record.value or b"").replace(good.encode(), event_id.encode())
        broken = LoggedRecord(0, record.timestamp, record.key, value)
        assert [refusal.reason for refusal in decoder.decode([broken]).refusals] == [Reason.SCHEMA]
