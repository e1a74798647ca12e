"""The engine beside a slow oracle: the same answers, windows and states after every event."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.answering import Emit
from stream.engine import Answers, Engine
from stream.forecaster import STATUSES
from stream.records import LoggedRecord
from stream.series.table import SeriesTable
from stream.testing import CountingPredictor, NaivePredictor
from tests.stream.events import CONTEXT, STEP_SECONDS, Event, histories, records_of, within_of
from tests.stream.slow import Answer, Late, SlowSeries
from tidecast.errors import Reason, SettingsError
from tidecast.settings import StreamSettings

GRACES = st.sampled_from([0, 2, CONTEXT - 1])
RULES = st.sampled_from(["last", "mean", "sum"])
POLICIES = st.sampled_from(["accept", "patch", "reject"])
CUTS = st.sets(st.integers(0, 40))


def engine_of(
    grace: int = 0, rule: object = "last", context: int = CONTEXT, **more: object
) -> Engine:
    fields = {"step_seconds": STEP_SECONDS, "grace_slots": grace, "aggregate": rule}
    stream = StreamSettings.model_validate(fields | more)
    return Engine(CountingPredictor(context), stream)


def parts_of(records: list[LoggedRecord], cuts: set[int]) -> list[list[LoggedRecord]]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(records)), len(records)]
    return [records[start:end] for start, end in pairwise(edges)]


def apply_in_parts(
    engine: Engine, records: list[LoggedRecord], cuts: set[int], emit: Emit = "all"
) -> tuple[SeriesTable, list[tuple[object, ...]]]:
    """The table after all records, and everything that was answered, by offset."""
    table = engine.new_table()
    answered: list[tuple[object, ...]] = []
    for part in parts_of(records, cuts):
        answered += by_offset(part, engine.apply(table, part, emit))
    return table, answered


def by_offset(records: list[LoggedRecord], answers: Answers) -> list[tuple[object, ...]]:
    """Answers and refusals without anything that depends on the batch."""
    found: list[tuple[int, tuple[object, ...]]] = [
        (refusal.position, (refusal.reason, refusal.detail)) for refusal in answers.refusals
    ]
    columns = zip(answers.positions.tolist(), answers.series_ids, strict=True)
    for place, (position, series_id) in enumerate(columns):
        forecast = answers.forecasts[place].tobytes()
        status, origin = int(answers.statuses[place]), int(answers.origins[place])
        found.append((position, (series_id, origin, status, forecast)))
    return [(records[position].offset, *what) for position, what in sorted(found)]


def dumped(table: SeriesTable) -> dict[str, bytes]:
    return table.dump(table.rows())


@given(histories(), GRACES, RULES, POLICIES)
def test_every_step_is_what_the_slow_oracle_says(
    events: list[Event], grace: int, rule: str, late: str
) -> None:
    engine = engine_of(grace, rule, late=late)
    table = engine.new_table()
    slow: dict[str, SlowSeries] = {}
    for event, record in zip(events, records_of(events), strict=True):
        series = slow.setdefault(event.series_id, SlowSeries(CONTEXT, grace, rule, late))
        expected = series.apply(event.slot, event.value, within_of(event, record.offset))
        answers = engine.apply(table, [record])
        check_answer(answers, expected, series.newest)
        check_series(table, event.series_id, series)


def check_answer(answers: Answers, expected: Answer | Late | None, newest: int) -> None:
    reasons = [refusal.reason for refusal in answers.refusals]
    assert reasons == ([Reason.LATE] if isinstance(expected, Late) else [])
    assert len(answers.touched) == (0 if isinstance(expected, Late) else 1)
    if not isinstance(expected, Answer):
        assert len(answers.positions) == 0
        return
    assert answers.positions.tolist() == [0]
    assert answers.origins.tolist() == [newest * STEP_SECONDS]
    assert [STATUSES[status] for status in answers.statuses] == [expected.status]
    np.testing.assert_allclose(answers.forecasts, expected.value, rtol=1e-5, atol=1e-4)


def check_series(table: SeriesTable, series_id: str, series: SlowSeries) -> None:
    rows = table.rows_of([series_id])
    window = np.array(series.window(), np.float64)
    np.testing.assert_allclose(table.windows(rows)[0, :, 0], window, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(table.states(rows)[0], series.state, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(table.states_before(rows)[0], series.before, rtol=1e-5, atol=1e-4)
    assert table.newest(rows).tolist() == [series.newest]
    assert table.spans(rows).tolist() == [series.span()]


@given(histories(), GRACES, RULES, CUTS)
def test_how_a_log_is_cut_into_batches_changes_nothing(
    events: list[Event], grace: int, rule: str, cuts: set[int]
) -> None:
    engine, records = engine_of(grace, rule), records_of(events)
    whole, answered_whole = apply_in_parts(engine, records, set())
    parts, answered_in_parts = apply_in_parts(engine, records, cuts)
    assert answered_in_parts == answered_whole
    assert dumped(parts) == dumped(whole)


@given(histories(), GRACES)
def test_a_second_run_gives_the_same_bytes(events: list[Event], grace: int) -> None:
    records = records_of(events)
    first, first_answers = apply_in_parts(engine_of(grace), records, set())
    again, second_answers = apply_in_parts(engine_of(grace), records, set())
    assert first_answers == second_answers
    assert dumped(first) == dumped(again)


@given(histories(), CUTS)
def test_a_table_goes_on_from_its_checkpoint_as_if_it_had_never_stopped(
    events: list[Event], cuts: set[int]
) -> None:
    engine, records = engine_of(2), records_of(events)
    whole = apply_in_parts(engine, records, set())[0]
    table = engine.new_table()
    for position, record in enumerate(records):
        if position in cuts:
            reloaded = engine.new_table()
            reloaded.load(dumped(table))
            table = reloaded
        engine.apply(table, [record])
    assert dumped(table) == dumped(whole)


def test_the_touched_rows_are_all_that_changed() -> None:
    engine = engine_of()
    table = engine.new_table()
    engine.apply(table, records_of([Event("a", 5, 1.0), Event("b", 5, 1.0)]))
    before = dumped(table)
    batch = records_of([Event("b", 6, 2.0), Event("a", 1, 9.0), Event("b", 7, 2.0)], 2)
    touched = engine.apply(table, batch).touched
    assert {table.series_ids[row] for row in touched} == {"b"}
    assert dumped(table)["a"] == before["a"]


def test_an_empty_batch_is_answered_by_nothing() -> None:
    engine = engine_of()
    answers = engine.apply(engine.new_table(), [])
    assert len(answers.positions) == len(answers.touched) == len(answers.refusals) == 0


def test_a_model_without_state_forecasts_through_gaps_and_late_values() -> None:
    engine = Engine(NaivePredictor(CONTEXT), StreamSettings(step_seconds=60, grace_slots=2))
    table = engine.new_table()
    events = [Event("a", slot, float(slot)) for slot in (1, 2, 5, 4)]
    answers = engine.apply(table, records_of(events))
    assert answers.forecasts[:, 0, 0].tolist() == [1.0, 2.0, 5.0]
    expected = [np.nan, 1.0, 2.0, np.nan, 4.0, 5.0]
    np.testing.assert_array_equal(table.windows(np.array([0]))[0, :, 0], expected)


def test_a_window_of_one_slot_still_carries_its_state() -> None:
    engine = engine_of(context=1)
    table = engine.new_table()
    answers = engine.apply(table, records_of([Event("a", slot, 1.0) for slot in (1, 2, 3, 3, 5)]))
    assert answers.forecasts[:, 0, 0].tolist() == [2.0, 3.0, 4.0, 4.0, 2.0]


def test_a_grace_beyond_the_window_is_refused() -> None:
    with pytest.raises(SettingsError, match="grace_slots is 6"):
        engine_of(grace=CONTEXT)
