"""What an observation's own time does to its series, and that the order of arrival does nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.engine import Answers, Engine
from stream.forecaster import STATUSES
from stream.series.table import SeriesTable
from stream.testing import CountingPredictor, record
from tests.stream.events import CONTEXT, STEP_MS, STEP_SECONDS, WHOLE, Event, records_of
from tests.stream.slow import SlowSeries
from tests.stream.test_engine import RULES, engine_of
from tidecast.errors import Reason, SettingsError
from tidecast.messages import Status
from tidecast.settings import StreamSettings

GRACE = 3
NAN = float("nan")


def run(engine: Engine, events: list[Event]) -> tuple[SeriesTable, Answers]:
    table = engine.new_table()
    return table, engine.apply(table, records_of(events))


def window_of(table: SeriesTable) -> list[float]:
    return [float(value) for value in table.windows(np.array([0]))[0, :, 0]]


def origins_of(answers: Answers) -> list[int]:
    return [origin // STEP_SECONDS for origin in answers.origins.tolist()]


@st.composite
def shuffled(draw: st.DrawFn, slots: int) -> tuple[list[Event], list[Event]]:
    """Observations of one series in order of their times, and as they arrive within the grace."""
    moments = st.tuples(st.integers(0, slots - 1), st.integers(0, STEP_MS - 1))
    times = draw(st.lists(moments, min_size=1, max_size=20, unique=True))
    in_order = [Event("a", slot, draw(st.none() | WHOLE), within) for slot, within in sorted(times)]
    waiting, arrived, newest = list(in_order), [], -1
    while waiting:
        # Whoever is overtaken by this one must still be within the grace.
        most = waiting[0].slot + GRACE
        allowed = [event for event in waiting if event.slot <= max(most, newest)]
        chosen = draw(st.sampled_from(allowed))
        newest = max(newest, chosen.slot)
        waiting.remove(chosen)
        arrived.append(chosen)
    return in_order, arrived


@given(shuffled(slots=4 * CONTEXT), RULES)
def test_any_order_of_arrival_within_the_grace_ends_in_the_same_window(
    events: tuple[list[Event], list[Event]], rule: str
) -> None:
    in_order, _ = events
    slow = SlowSeries(CONTEXT, GRACE, rule)
    for event in in_order:
        assert event.within_ms is not None
        slow.apply(event.slot, event.value, event.within_ms)
    for order in events:
        table, answers = run(engine_of(GRACE, rule), order)
        assert answers.refusals == []
        np.testing.assert_array_equal(window_of(table), np.array(slow.window(), np.float32))


@given(shuffled(slots=CONTEXT), RULES, st.sampled_from(["accept", "patch"]))
def test_any_order_of_arrival_within_the_grace_ends_in_the_same_state(
    events: tuple[list[Event], list[Event]], rule: str, late: str
) -> None:
    """While the window holds all: a state that is rebuilt knows no more than the window."""
    (in_order, _), (arrived, answers) = (
        run(engine_of(GRACE, rule, late=late), order) for order in events
    )
    rows = np.array([0])
    assert answers.refusals == []
    for read in (SeriesTable.newest, SeriesTable.spans, SeriesTable.states):
        np.testing.assert_array_equal(read(arrived, rows), read(in_order, rows))
    np.testing.assert_array_equal(window_of(arrived), window_of(in_order))


@pytest.mark.parametrize(
    ("late", "answered", "window", "refused"),
    [
        ("accept", [5, 6, 6], [NAN, NAN, NAN, NAN, 9.0, 2.0], []),
        ("patch", [5, 6], [NAN, NAN, NAN, NAN, 9.0, 2.0], []),
        ("reject", [5, 6], [NAN, NAN, NAN, NAN, 1.0, 2.0], [Reason.LATE]),
    ],
)
def test_a_late_observation_within_the_grace_meets_the_stream_s_policy(
    late: str, answered: list[int], window: list[float], refused: list[Reason]
) -> None:
    events = [Event("a", 5, 1.0, 0), Event("a", 6, 2.0, 0), Event("a", 5, 9.0, 1)]
    table, answers = run(engine_of(GRACE, late=late), events)
    assert origins_of(answers) == answered
    np.testing.assert_array_equal(window_of(table), window)
    assert [refusal.reason for refusal in answers.refusals] == refused


@pytest.mark.parametrize("late", ["accept", "patch"])
def test_the_watermark_of_a_series_is_its_newest_slot_less_the_grace(late: str) -> None:
    events = [Event("a", 10, 1.0), Event("a", 10 - GRACE, 2.0), Event("a", 9 - GRACE, 3.0)]
    events.append(Event("b", 0, 4.0))
    _, answers = run(engine_of(GRACE, late=late), events)
    assert [(refusal.position, refusal.reason) for refusal in answers.refusals] == [
        (2, Reason.LATE)
    ]


def test_an_accepted_late_value_is_answered_from_the_mended_window() -> None:
    events = [Event("a", 0, 1.0), Event("a", 1, 2.0), Event("a", 0, 5.0, STEP_MS - 1)]
    _, answers = run(engine_of(GRACE, late="accept"), events)
    assert answers.forecasts[:, 0, 0].tolist() == [1.0 + 1.0, 2.0 + 3.0, 2.0 + 7.0]


def test_the_last_value_of_a_slot_is_the_one_measured_last() -> None:
    events = [Event("a", 0, 1.0, 50), Event("a", 0, 2.0, 40), Event("a", 0, 3.0, 50)]
    for count, value in ((1, 1.0), (2, 1.0), (3, 3.0)):
        table, answers = run(engine_of(), events[:count])
        assert window_of(table)[-1] == value
        assert len(answers.positions) == count


def test_each_channel_combines_by_its_own_rule() -> None:
    rules = {"load": "mean", "rain": "sum"}
    stream = StreamSettings.model_validate({"step_seconds": STEP_SECONDS, "aggregate": rules})
    engine = Engine(CountingPredictor(channels=("temperature", "load", "rain")), stream)
    table = engine.new_table()
    for number, value in enumerate((1.0, 3.0)):
        values = {"load": value, "rain": value, "temperature": value}
        engine.apply(table, [record(number, "a", number, values)])
    assert table.windows(np.array([0]))[0, -1].tolist() == [3.0, 2.0, 4.0]


def test_a_rule_for_a_channel_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(SettingsError, match="'lod'; the model has value"):
        engine_of(rule={"lod": "mean"})


def test_skipped_slots_are_missing_values() -> None:
    table, answers = run(engine_of(), [Event("a", 1, 1.0), Event("a", 4, 2.0)])
    np.testing.assert_array_equal(window_of(table), [NAN, NAN, 1.0, NAN, NAN, 2.0])
    assert table.states(np.array([0])).tolist() == [[4.0, 3.0]]
    assert len(answers.positions) == 2


def test_a_jump_beyond_the_context_starts_the_series_afresh() -> None:
    events = [*[Event("a", slot, 1.0) for slot in range(5)], Event("a", 4 + CONTEXT, 7.0)]
    table, answers = run(engine_of(), events)
    np.testing.assert_array_equal(window_of(table), [NAN] * 5 + [7.0])
    assert table.spans(np.array([0])).tolist() == [1]
    assert table.states(np.array([0])).tolist() == [[1.0, 7.0]]
    assert STATUSES[answers.statuses[-1]] is Status.COLD


def test_a_series_may_be_measured_at_any_moment_of_a_slot_or_not_at_all() -> None:
    times = [(0, 0), (0, 1), (1, 59_999), (3, 30_000), (3, 30_001), (4, 0)]
    events = [Event("a", slot, 10.0 * slot + within % 7, within) for slot, within in times]
    table, answers = run(engine_of(), events)
    values = [NAN, 1.0, 10.0 + 59_999 % 7, NAN, 30.0 + 30_001 % 7, 40.0]
    np.testing.assert_array_equal(window_of(table), values)
    assert origins_of(answers) == [slot for slot, _ in times]
