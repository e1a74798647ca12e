"""Batches of several partitions applied together: what each of them would have got alone."""

from __future__ import annotations

import asyncio
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.answering import Emit
from stream.engine import Engine
from stream.predictor import Inputs, Prediction
from stream.records import LoggedRecord
from stream.series.table import SeriesTable
from stream.shared_engine import ASIDE, SharedEngine
from stream.side_by_side import TableBatch
from stream.testing import CountingPredictor, record
from tests.stream.events import CONTEXT, Event, histories, records_of
from tests.stream.series.test_lifetimes import LONG_MOVES
from tests.stream.test_engine import (
    CUTS,
    GRACES,
    POLICIES,
    RULES,
    by_offset,
    dumped,
    engine_of,
    parts_of,
)
from tests.stream.test_event_ids import named_histories
from tidecast.settings import StreamSettings

EMITS = st.sampled_from(["all", "latest", "none"])


class ObservedPredictor(CountingPredictor):
    """Notes how many rows each run of the model had."""

    def __init__(self) -> None:
        super().__init__(CONTEXT)
        self.runs: list[int] = []

    def predict(self, inputs: Inputs) -> Prediction:
        self.runs.append(len(inputs.windows))
        return super().predict(inputs)


def check_together(
    engine: Engine, logs: list[list[LoggedRecord]], cuts: set[int], emit: Emit = "all"
) -> None:
    """Apply the parts of several logs step by step, alone and together, and compare."""
    alone, together = ([engine.new_table() for _ in logs] for _ in range(2))
    for parts in zip_longest(*(parts_of(log, cuts) for log in logs), fillvalue=[]):
        found = engine.apply_together(list(map(TableBatch, together, parts)), emit)
        for table, part, answers in zip(alone, parts, found, strict=True):
            expected = engine.apply(table, part, emit)
            assert by_offset(part, answers) == by_offset(part, expected)
            assert answers.touched.tolist() == expected.touched.tolist()
            assert answers.ended == expected.ended
    for one, other in zip(alone, together, strict=True):
        assert dumped(one) == dumped(other)
        assert one.watermark == other.watermark


@given(st.lists(histories(), min_size=1, max_size=3), GRACES, RULES, POLICIES, CUTS, EMITS)
def test_answers_and_tables_are_those_of_each_batch_alone(
    events: list[list[Event]], grace: int, rule: str, late: str, cuts: set[int], emit: Emit
) -> None:
    engine = engine_of(grace, rule, late=late)
    check_together(engine, [records_of(each) for each in events], cuts, emit)


@given(st.lists(histories(LONG_MOVES), min_size=2, max_size=3), CUTS)
def test_series_end_at_the_same_event(events: list[list[Event]], cuts: set[int]) -> None:
    engine = engine_of(1, end_after_slots=3, max_series=3)
    check_together(engine, [records_of(each) for each in events], cuts)


@given(st.lists(named_histories(), min_size=2, max_size=3), CUTS)
def test_repeats_are_refused_alike(events: list[list[Event]], cuts: set[int]) -> None:
    check_together(engine_of(1, remembered_ids=2), [records_of(each) for each in events], cuts)


@given(st.lists(histories(), min_size=2, max_size=3), CUTS, st.sets(st.integers(0, 40)))
def test_what_cannot_be_decoded_is_refused_where_it_was(
    events: list[list[Event]], cuts: set[int], broken: set[int]
) -> None:
    logs = [
        [
            each._replace(value=b"{}") if each.offset in broken else each
            for each in records_of(history)
        ]
        for history in events
    ]
    check_together(engine_of(1), logs, cuts)


def test_the_model_runs_once_for_known_series() -> None:
    predictor = ObservedPredictor()
    engine = Engine(predictor, StreamSettings(step_seconds=60))
    tables = [engine.new_table() for _ in range(3)]
    for slot, runs in ((1, [2, 2, 2]), (2, [6])):
        batch = records_of([Event("a", slot, 1.0), Event("b", slot, 2.0)])
        predictor.runs.clear()
        engine.apply_together([TableBatch(table, batch) for table in tables])
        assert predictor.runs == runs


async def test_partitions_that_ask_in_the_same_moment_share_a_run() -> None:
    predictor = ObservedPredictor()
    shared = SharedEngine(Engine(predictor, StreamSettings(step_seconds=60)))
    tables = [shared.engine.new_table() for _ in range(3)]

    async def ask(slot: int) -> list[float]:
        answers = await asyncio.gather(
            *(
                shared.apply(table, records_of([Event("a", slot, float(number))]))
                for number, table in enumerate(tables)
            )
        )
        return [float(answer.forecasts[0, 0, 0]) for answer in answers]

    assert await ask(1) == [0.0, 2.0, 4.0]
    predictor.runs.clear()
    assert await ask(2) == [0.0, 3.0, 6.0]
    assert predictor.runs == [3]


@pytest.mark.parametrize(("size", "most", "runs"), [(ASIDE // 2, ASIDE, 2), (1, 1, 4), (3, 2, 4)])
async def test_what_is_applied_at_once_is_bounded(size: int, most: int, runs: int) -> None:
    predictor = ObservedPredictor()
    shared = SharedEngine(Engine(predictor, StreamSettings(step_seconds=60)), most)
    tables = [shared.engine.new_table() for _ in range(4)]

    async def ask(slot: int) -> None:
        batch = records_of([Event(f"s{n}", slot, 1.0) for n in range(size)])
        await asyncio.gather(*(shared.apply(table, batch) for table in tables))

    await ask(1)
    predictor.runs.clear()
    await ask(2)
    assert predictor.runs == [4 * size // runs] * runs


async def test_all_who_wait_learn_that_the_engine_failed() -> None:
    class Broken(CountingPredictor):
        def predict(self, inputs: Inputs) -> Prediction:
            raise RuntimeError("no model")

    shared = SharedEngine(Engine(Broken(CONTEXT), StreamSettings(step_seconds=60)))
    tables: list[SeriesTable] = [shared.engine.new_table() for _ in range(2)]
    batch = [record(0, "a", 60_000, 1.0)]
    found = await asyncio.gather(
        *(shared.apply(table, batch) for table in tables), return_exceptions=True
    )
    assert [str(error) for error in found] == ["no model"] * 2
