"""A model that breaks: the answer is the last known value, and the damage ends with the slot."""

from __future__ import annotations

import numpy as np
import pytest

from stream.engine import Answers, Engine
from stream.forecaster import STATUSES
from stream.series.table import SeriesTable
from stream.testing import CountingPredictor, FailingPredictor
from tests.stream.events import CONTEXT, STEP_SECONDS, Event, records_of
from tidecast.messages import Status
from tidecast.settings import StreamSettings

POISON = 13.0


def run(events: list[Event], poison: float = POISON) -> tuple[SeriesTable, Answers]:
    stream = StreamSettings(step_seconds=STEP_SECONDS, grace_slots=2)
    engine = Engine(FailingPredictor(CountingPredictor(CONTEXT), poison), stream)
    table = engine.new_table()
    return table, engine.apply(table, records_of(events))


def statuses(answers: Answers) -> list[Status]:
    return [STATUSES[status] for status in answers.statuses]


def test_a_failed_forecast_is_the_last_known_value_and_says_so() -> None:
    events = [Event("a", 0, 2.0), Event("b", 0, 1.0), Event("a", 1, POISON), Event("b", 1, 4.0)]
    _, answers = run(events)
    assert statuses(answers) == [Status.COLD, Status.COLD, Status.FALLBACK, Status.COLD]
    assert np.all(answers.forecasts[2] == POISON)
    assert np.all(answers.forecasts[3] == 4.0 + 5.0)


def test_the_state_starts_again_after_a_failure() -> None:
    table, answers = run([Event("a", 0, 2.0), Event("a", 1, POISON), Event("a", 2, 3.0)])
    assert table.states(np.array([0])).tolist() == [[1.0, 3.0]]
    assert statuses(answers)[-1] is Status.OK


@pytest.mark.parametrize("late_slot", [1, 2])
def test_a_rebuilt_state_starts_again_after_the_failure_too(late_slot: int) -> None:
    values = {0: 2.0, 1: 5.0, 2: 1.0, 3: 3.0}
    values[late_slot - 1] = POISON
    kept = [Event("a", slot, value) for slot, value in values.items() if slot != late_slot]
    table, _ = run([*kept, Event("a", late_slot, values[late_slot])])
    after = [value for slot, value in values.items() if slot >= late_slot]
    assert table.states(np.array([0])).tolist() == [[float(len(after)), sum(after)]]


def test_the_fallback_of_a_series_without_any_value_is_zero() -> None:
    _, answers = run([Event("a", 0, None)], poison=float("nan"))
    assert statuses(answers) == [Status.FALLBACK]
    assert np.all(answers.forecasts == 0.0)


def test_the_fallback_reaches_back_over_missing_values() -> None:
    events = [Event("a", 0, 7.0), Event("a", 3, None)]
    _, answers = run(events, poison=float("nan"))
    assert statuses(answers) == [Status.COLD, Status.FALLBACK]
    assert np.all(answers.forecasts[1] == 7.0)
