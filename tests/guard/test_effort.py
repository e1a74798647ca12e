"""What each stage of the worker takes for an event and for a small batch, within a budget.

Counts of Python's work, not times: they are the same in every run and on every machine. A batch is
fast because hardly anything is done in Python for each of its events, and a small one because few
things are done at all; both get lost line by line, without any test of what comes out failing.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import pytest

from stream.engine import Engine
from stream.grid import FloatArray
from stream.predictor import Inputs, Prediction
from stream.testing import CountingPredictor
from tests.guard.effort import Effort, Work, effort_of
from tests.guard.stages import STAGES, STREAM, Sample, apply, sample

COUNTED_ON: Final = (3, 11)
"""Bytecode differs between versions of Python. Calls hardly do: later ones make a few less."""


class Budget(NamedTuple):
    """The most that a stage may take.

    event: for each event of a batch of 2,000. batch: for a batch of 4 events as a whole.
    """

    event: Effort
    batch: Effort


BUDGETS: Final = {
    "unpack": Budget(Effort(7.9, 88), Effort(51, 580)),
    "decode": Budget(Effort(5.9, 107), Effort(81, 980)),
    "apply": Budget(Effort(7.0, 130), Effort(395, 4400)),
    "predict": Budget(Effort(0.08, 1.0), Effort(31, 340)),
    "encode": Budget(Effort(1.3, 84), Effort(68, 900)),
    "write": Budget(Effort(5.9, 80), Effort(98, 1130)),
    "dump": Budget(Effort(0.1, 36), Effort(8, 210)),
}
"""A fifth to a third above what was counted, and never a whole call for each event.

How to read a failure. `event` is exceeded: something is done for each event that was done for the
batch, or one thing more for each. `batch` is exceeded: a batch of any size costs more, which is
latency. The stage that decodes is a part of the one that applies, so `decode` fails before `apply`.
Work that is worth it renews its budget: see "The guard" in CONTRIBUTING.md.
"""

LARGE: Final = 2_000
SMALL: Final = 4
FEW_SERIES: Final = 10
TURN: Final = Budget(Effort(29, 390), Effort(395, 4400))
"""What `apply` may take where a large batch is of few series: a turn for each ten events."""


@pytest.mark.parametrize("stage", BUDGETS)
def test_a_stage_keeps_within_its_budget(stage: str) -> None:
    hold(stage, BUDGETS[stage], LARGE)


def test_many_events_of_few_series_keep_within_their_budget() -> None:
    hold("apply", TURN, FEW_SERIES)


def hold(stage: str, budget: Budget, series: int) -> None:
    """Count a stage; say what was found."""
    event = effort_of(partial(STAGES[stage], sample(LARGE, series))).each(LARGE)
    batch = effort_of(partial(STAGES[stage], sample(SMALL, SMALL)))
    print(f"{stage}, {series:,} series: an event {event}; a batch of {SMALL} {batch}")
    assert comparable(event).within(budget.event), f"an event: {event}; budget: {budget.event}"
    assert comparable(batch).within(budget.batch), f"a batch: {batch}; budget: {budget.batch}"


def comparable(effort: Effort) -> Effort:
    """Without instructions where those of another Python were counted for the budgets."""
    return effort if sys.version_info[:2] == COUNTED_ON else effort._replace(instructions=0)


@pytest.mark.parametrize("stage", BUDGETS)
def test_a_stage_that_works_event_by_event_is_found_out(stage: str) -> None:
    singles = sample(20, 20).one_by_one()

    def prepare() -> Work:
        works = [STAGES[stage](single) for single in singles]
        return lambda: [work() for work in works]

    event = effort_of(prepare).each(len(singles))
    assert event.calls > BUDGETS[stage].event.calls
    assert event.instructions > BUDGETS[stage].event.instructions


@pytest.mark.parametrize("stage", BUDGETS)
def test_one_call_more_for_each_event_is_found_out(stage: str) -> None:
    given = sample(LARGE, LARGE)

    def prepare() -> Work:
        work = STAGES[stage](given)
        return lambda: (work(), [abs(one.offset) for one in given.batch])

    event = effort_of(prepare).each(LARGE)
    assert event.calls > BUDGETS[stage].event.calls


@pytest.mark.parametrize(("series", "calls"), [(LARGE, 1), (LARGE // 4, 4), (FEW_SERIES, 200)])
def test_the_model_is_called_once_for_all_series_of_a_turn(series: int, calls: int) -> None:
    model = ModelCalls()
    given = sample(LARGE, series)
    engine = Engine(model, STREAM)
    table = engine.new_table()
    engine.apply(table, given.earlier)
    model.calls = 0
    engine.apply(table, given.batch)
    assert model.calls == calls


class ModelCalls:
    """A model that counts how often it is called, for forecasts or for states alone."""

    def __init__(self) -> None:
        self.calls = 0
        self._model = CountingPredictor()
        self.manifest = self._model.manifest

    def predict(self, inputs: Inputs) -> Prediction:
        self.calls += 1
        return self._model.predict(inputs)

    def step(self, inputs: Inputs) -> FloatArray:
        self.calls += 1
        return self._model.step(inputs)


MANY_SERIES: Final = 20_000
SOME_EVENTS: Final = 20


def test_a_batch_takes_no_more_memory_when_there_are_many_series() -> None:
    few, many = (sample(SOME_EVENTS, series) for series in (SOME_EVENTS, MANY_SERIES))
    assert peak_bytes(few, apply) == pytest.approx(peak_bytes(many, apply), rel=0.1)


def test_a_look_at_every_row_of_the_table_is_found_out() -> None:
    def look(given: Sample) -> Work:
        work, table = apply(given), given.table
        return lambda: (work(), table.rows())

    few, many = (sample(SOME_EVENTS, series) for series in (SOME_EVENTS, MANY_SERIES))
    assert peak_bytes(many, look) > 1.1 * peak_bytes(few, look)


def peak_bytes(given: Sample, stage: Callable[[Sample], Work]) -> int:
    """The most memory that a stage holds while it works, beside what there was before."""
    work = stage(given)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
