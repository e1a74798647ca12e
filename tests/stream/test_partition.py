"""One partition: each offset once and in order, several batches at a time."""

from __future__ import annotations

import asyncio
import threading

from stream.encoder import Messages
from stream.engine import Engine
from stream.output import Delivery
from stream.predictor import Inputs, Prediction
from stream.shared_engine import ASIDE
from stream.testing import (
    CountingPredictor,
    InMemoryLog,
    InMemoryOutput,
    InMemoryStore,
)
from tests.stream.events import Event, records_of
from tests.stream.one_partition import (
    ENGINE,
    RECORDS,
    cursor_in,
    offsets,
    rows_after,
    rows_in,
    settle,
)
from tests.stream.partitions import PLACE, partition_of
from tidecast.settings import StreamSettings

LIMIT_S = 10.0


async def test_each_offset_is_answered_once_however_often_it_comes() -> None:
    output = InMemoryOutput()
    partition = await partition_of(output, engine=ENGINE)
    for start, end in [(0, 4), (0, 4), (2, 7), (1, 3), (7, 8)]:
        await partition.handle(RECORDS[start:end])
    assert offsets(output) == list(range(8))
    assert partition.cursor == 8
    assert {number for number, _ in output.messages} == {PLACE.partition}


class GatedPredictor(CountingPredictor):
    """A model that says when it is asked, and answers when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def predict(self, inputs: Inputs) -> Prediction:
        self.asked.set()
        assert self.may_answer.wait(LIMIT_S)
        return super().predict(inputs)


async def test_the_event_loop_goes_on_while_the_model_has_a_large_batch() -> None:
    output, predictor = InMemoryOutput(), GatedPredictor()
    partition = await partition_of(output, engine=Engine(predictor, StreamSettings()))
    records = records_of([Event(f"s{n}", 0, float(n)) for n in range(ASIDE + 1)])
    predictor.may_answer.set()
    await partition.handle(records[:1])
    predictor.asked.clear()
    predictor.may_answer.clear()
    handling = asyncio.create_task(partition.handle(records[1:]))
    assert await asyncio.to_thread(predictor.asked.wait, LIMIT_S)
    saving = asyncio.create_task(partition.save())
    await settle()
    assert (handling.done(), saving.done()) == (False, False)
    predictor.may_answer.set()
    assert await saving
    await handling
    assert offsets(output) == list(range(ASIDE + 1))
    assert partition.saved == ASIDE + 1


class GatedOutput(InMemoryOutput):
    """An output that accepts forecasts when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_accept = asyncio.Event()

    async def forecasts(self, partition: int, messages: Messages) -> list[Delivery]:
        await self.may_accept.wait()
        return await super().forecasts(partition, messages)


async def test_a_batch_is_applied_while_the_one_before_is_written() -> None:
    output, store = GatedOutput(), InMemoryStore()
    partition = await partition_of(output, store, engine=ENGINE)
    ends = [4, 9, 15]
    batches = [RECORDS[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    handling = [asyncio.create_task(partition.handle(batch)) for batch in batches]
    await settle()
    assert partition.cursor == ends[1]  # the third waits
    saving = asyncio.create_task(partition.save())
    releasing = asyncio.create_task(partition.release())
    await settle()
    assert (saving.done(), releasing.done()) == (False, False)
    assert await cursor_in(store) == 0
    output.may_accept.set()
    await asyncio.gather(saving, releasing, *handling)
    assert offsets(output) == list(range(ends[2]))
    assert partition.cursor == ends[2]
    await partition.save()
    assert await cursor_in(store) == ends[2]
    assert await rows_in(store) == await rows_after(RECORDS[: ends[2]])


async def test_records_missing_before_a_batch_are_read_from_the_log() -> None:
    output, log = InMemoryOutput(), InMemoryLog()
    log.append(PLACE, RECORDS)
    partition = await partition_of(output, log=log, engine=ENGINE)
    await partition.handle(RECORDS[:3])
    await partition.handle(RECORDS[11:14])
    await partition.handle(RECORDS[3:6])
    assert offsets(output) == list(range(14))


async def test_a_gap_of_the_log_itself_is_passed_over() -> None:
    output, log = InMemoryOutput(), InMemoryLog()
    log.append(PLACE, [*RECORDS[:3], *RECORDS[8:]])
    partition = await partition_of(output, log=log, engine=ENGINE)
    await partition.handle(RECORDS[:3])
    await partition.handle([*RECORDS[8:9], *RECORDS[12:13]])
    assert offsets(output) == [0, 1, 2, 8, 12]
    assert partition.cursor == 13


async def test_after_a_release_nothing_is_answered_but_what_was_is_saved() -> None:
    output, store = InMemoryOutput(), InMemoryStore()
    partition = await partition_of(output, store, engine=ENGINE)
    await partition.handle(RECORDS[:5])
    await partition.release()
    await partition.handle(RECORDS[5:9])
    assert await partition.save()
    assert offsets(output) == list(range(5))
    assert await cursor_in(store) == 5


async def test_only_so_many_batches_wait_for_kafka() -> None:
    output = InMemoryOutput(at_once=False)
    partition = await partition_of(output, engine=ENGINE)

    async def handle_all() -> None:
        for record in RECORDS:
            await partition.handle([record])

    handling = asyncio.create_task(handle_all())
    await settle()
    assert not handling.done()
    waiting = len(output.messages)
    assert waiting < len(RECORDS)
    while not handling.done():
        output.store()
        await settle()
    assert offsets(output) == list(range(len(RECORDS)))
