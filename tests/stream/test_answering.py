"""`emit = "latest"`: the same table, and of the same forecasts the last one of each series."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.answering import Emit
from stream.engine import Engine
from stream.grid import FloatArray
from stream.predictor import Inputs, Prediction, Predictor
from stream.records import LoggedRecord
from stream.testing import CountingPredictor, InMemoryOutput, NaivePredictor
from tests.stream.events import CONTEXT, STEP_SECONDS, Event, histories, records_of
from tests.stream.one_partition import offsets
from tests.stream.partitions import engine_of as partition_engine
from tests.stream.partitions import partition_of
from tests.stream.test_engine import (
    CUTS,
    GRACES,
    POLICIES,
    RULES,
    apply_in_parts,
    dumped,
    engine_of,
    parts_of,
)
from tests.stream.test_event_ids import named_histories
from tidecast.settings import StreamSettings

FORECAST_FIELDS = 5
"""Of an entry of `apply_in_parts`; a refusal has fewer."""

Entry = tuple[object, ...]


def is_forecast(entry: Entry) -> bool:
    return len(entry) == FORECAST_FIELDS


def latest(entries: list[Entry]) -> list[Entry]:
    """The last forecast of each series, and every refusal."""
    last = {entry[1]: entry for entry in entries if is_forecast(entry)}
    return [entry for entry in entries if not is_forecast(entry) or last[entry[1]] is entry]


def latest_of_parts(
    entries: list[Entry], records: list[LoggedRecord], cuts: set[int]
) -> list[Entry]:
    """What is left of the answers to a log when each part of it sends its latest."""
    starts = [part[0].offset for part in parts_of(records, cuts) if part]
    found: list[Entry] = []
    for start, end in pairwise([*starts, len(records)]):
        found += latest([entry for entry in entries if start <= int(str(entry[0])) < end])
    return found


@given(histories() | named_histories(), GRACES, RULES, POLICIES, CUTS, st.sampled_from([0, 2]))
def test_only_the_last_answer_of_a_series_in_a_batch_is_sent_and_it_is_the_same(
    events: list[Event], grace: int, rule: str, late: str, cuts: set[int], remembered: int
) -> None:
    engine = engine_of(grace, rule, late=late, remembered_ids=remembered)
    records = records_of(events)
    table, answered = apply_in_parts(engine, records, set())
    table_of_latest, answered_latest = apply_in_parts(engine, records, cuts, "latest")
    assert dumped(table_of_latest) == dumped(table)
    assert answered_latest == latest_of_parts(answered, records, cuts)


@given(histories(), st.sampled_from([3, 8, 20]), st.integers(1, 4), CUTS)
def test_where_series_end_the_newest_are_answered_and_nothing_else_is_said(
    events: list[Event], end_after: int, most: int, cuts: set[int]
) -> None:
    engine = engine_of(1, end_after_slots=end_after, max_series=most)
    records = records_of(events)
    table, answered = apply_in_parts(engine, records, set())
    table_of_latest, answered_latest = apply_in_parts(engine, records, cuts, "latest")
    assert dumped(table_of_latest) == dumped(table)
    assert set(latest(answered)) <= set(latest_of_parts(answered, records, cuts))
    assert set(latest_of_parts(answered, records, cuts)) <= set(answered_latest)
    assert set(answered_latest) <= set(answered)


@pytest.mark.parametrize("emit", ["all", "latest"])
def test_one_event_a_series_is_answered_either_way(emit: Emit) -> None:
    engine, events = engine_of(), [Event(name, 1, 2.0) for name in "abc"]
    answers = engine.apply(engine.new_table(), records_of(events), emit)
    assert answers.positions.tolist() == [0, 1, 2]


def test_a_model_without_state_forecasts_from_each_last_window() -> None:
    engine = Engine(NaivePredictor(CONTEXT), StreamSettings(step_seconds=STEP_SECONDS))
    events = [Event("a", 1, 1.0), Event("b", 1, 2.0), Event("a", 2, 3.0), Event("a", 4, 5.0)]
    answers = engine.apply(engine.new_table(), records_of(events), "latest")
    assert answers.positions.tolist() == [1, 3]
    assert answers.forecasts[:, 0, 0].tolist() == [2.0, 5.0]


class CountedPredictor:
    """A model that counts the rows of either call."""

    def __init__(self, model: Predictor) -> None:
        self.manifest = model.manifest
        self.predicted = self.stepped = 0
        self._model = model

    def predict(self, inputs: Inputs) -> Prediction:
        self.predicted += len(inputs.windows)
        return self._model.predict(inputs)

    def step(self, inputs: Inputs) -> FloatArray:
        self.stepped += len(inputs.windows)
        return self._model.step(inputs)


def test_the_model_runs_once_an_event_and_whole_for_the_answers_alone() -> None:
    predictor = CountedPredictor(CountingPredictor(CONTEXT))
    engine = Engine(predictor, StreamSettings(step_seconds=STEP_SECONDS))
    events = [Event(name, slot, 1.0) for slot in range(10) for name in "ab"]
    engine.apply(engine.new_table(), records_of(events), "latest")
    assert (predictor.predicted, predictor.stepped) == (2, 18)


async def test_a_partition_answers_as_its_stream_is_set() -> None:
    events = [Event("a", 1, 1.0), Event("b", 1, 1.0), Event("a", 2, 1.0)]
    output = InMemoryOutput()
    engine = partition_engine(step_seconds=STEP_SECONDS, emit="latest")
    partition = await partition_of(output, engine=engine)
    await partition.handle(records_of(events))
    await partition.handle(records_of([Event("b", 2, 1.0)], 3))
    assert offsets(output) == [1, 2, 3]
