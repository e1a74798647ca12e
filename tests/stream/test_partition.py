"""One partition: each offset once and in order, and no checkpoint ahead of its forecasts."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from stream.encoder import Messages
from stream.engine import Engine
from stream.output import Delivery
from stream.partition import ASIDE
from stream.predictor import Inputs, Prediction
from stream.records import LoggedRecord
from stream.testing import (
    CountingPredictor,
    Fault,
    FaultyStore,
    InMemoryLog,
    InMemoryOutput,
    InMemoryStore,
)
from tests.stream.events import Event, records_of
from tests.stream.partitions import PLACE, SECOND, claim, engine_of, partition_of
from tidecast.errors import FencedError, KafkaError, RedisError
from tidecast.messages import decode_forecast
from tidecast.settings import StreamSettings

LIMIT_S = 10.0
ENGINE = engine_of(step_seconds=60)
RECORDS = records_of([Event("abc"[n % 3], n, float(n)) for n in range(30)])


def offsets(output: InMemoryOutput) -> list[int]:
    return [decode_forecast(message.value).source.offset for _, message in output.messages]


async def cursor_in(store: InMemoryStore) -> int | None:
    head = await store.head(PLACE)
    return head.cursor if head else None


async def rows_in(store: InMemoryStore) -> dict[str, bytes]:
    return {key: row async for part in store.rows(PLACE) for key, row in part.items()}


async def rows_after(records: list[LoggedRecord]) -> dict[str, bytes]:
    """What the store holds after an undisturbed run."""
    store = InMemoryStore()
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    await partition.handle(records)
    await partition.save()
    return await rows_in(store)


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


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


async def test_a_save_without_news_touches_nothing() -> None:
    store = FaultyStore(InMemoryStore())
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    await partition.handle(RECORDS[:5])
    assert await partition.save()
    store.faults.append(Fault.UNREACHED)
    assert not await partition.save()


async def test_the_store_learns_of_a_cursor_only_after_its_forecasts_are_stored() -> None:
    output, store = InMemoryOutput(at_once=False), InMemoryStore()
    partition = await partition_of(output, store, engine=ENGINE)
    await partition.handle(RECORDS[:5])
    save = asyncio.create_task(partition.save())
    await settle()
    assert await cursor_in(store) == 0
    # Forecasts go on meanwhile; the checkpoint under way is of what was before them.
    await partition.handle(RECORDS[5:9])
    output.store()
    assert await save
    assert (await cursor_in(store), partition.saved) == (5, 5)
    assert await rows_in(store) == await rows_after(RECORDS[:5])


async def test_rejections_too_are_stored_before_the_cursor_moves() -> None:
    output, store = InMemoryOutput(at_once=False), InMemoryStore()
    partition = await partition_of(output, store, engine=ENGINE)
    await partition.handle([LoggedRecord(0, 0, b"a", b"poison")])
    save = asyncio.create_task(partition.save())
    await settle()
    assert await cursor_in(store) == 0
    output.store()
    await save
    assert await cursor_in(store) == 1
    assert [one.value for _, one in output.rejected] == [b"poison"]


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


@pytest.mark.parametrize("fault", [Fault.UNREACHED, Fault.REPLY_LOST])
async def test_what_could_not_be_saved_is_saved_later(fault: Fault) -> None:
    inner = InMemoryStore()
    store = FaultyStore(inner)
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    for start in range(0, 30, 10):
        await partition.handle(RECORDS[start : start + 10])
        store.faults.append(fault)
        with pytest.raises(RedisError):
            await partition.save()
        assert partition.saved == 0
    assert await partition.save()
    assert await cursor_in(inner) == 30
    assert await rows_in(inner) == await rows_after(RECORDS)


async def test_a_cancelled_save_is_finished_and_loses_nothing() -> None:
    output, store = InMemoryOutput(at_once=False), InMemoryStore()
    partition = await partition_of(output, store, engine=ENGINE)
    await partition.handle(RECORDS[:10])
    save = asyncio.create_task(partition.save())
    await settle()
    save.cancel()
    await settle()
    assert save.cancelled()
    await partition.handle(RECORDS[10:11])
    output.store()
    await partition.save()
    assert await cursor_in(store) == 11
    assert await rows_in(store) == await rows_after(RECORDS[:11])


async def test_a_forecast_that_kafka_refuses_stops_every_later_checkpoint() -> None:
    output, store = InMemoryOutput(at_once=False), InMemoryStore()
    partition = await partition_of(output, store, engine=ENGINE)
    await partition.handle(RECORDS[:5])
    output.refuse()
    for _ in range(2):
        with pytest.raises(KafkaError):
            await partition.save()
    assert await cursor_in(store) == 0


async def test_a_partition_that_another_owner_has_cannot_be_saved() -> None:
    store = InMemoryStore()
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    await partition.handle(RECORDS[:5])
    await claim(store, SECOND, ENGINE)
    with pytest.raises(FencedError):
        await partition.save()
    assert await cursor_in(store) == 0


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_store_that_lost_checkpoints_gets_every_row_anew(lost: int) -> None:
    """Emptied, or back at an older checkpoint: no event is read again for it."""
    store = InMemoryStore()
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    snapshots = [InMemoryStore()]
    for end in (10, 20):
        await partition.handle(RECORDS[:end])
        await partition.save()
        snapshots.append(store.snapshot())
    store.restore(snapshots[lost])
    await partition.handle(RECORDS[20:21])
    assert await partition.save()
    assert await cursor_in(store) == partition.saved == 21
    assert await rows_in(store) == await rows_after(RECORDS[:21])


@pytest.mark.parametrize("write", range(4))
@pytest.mark.parametrize("fault", Fault)
async def test_writing_all_rows_anew_may_fail_half_way(fault: Fault, write: int) -> None:
    inner = InMemoryStore()
    store = FaultyStore(inner)
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    await partition.handle(RECORDS[:20])
    await partition.save()
    inner.restore(InMemoryStore())
    await partition.handle(RECORDS[20:25])
    # The refused checkpoint, the new claim, the rows, the checkpoint.
    store.faults.extend([None] * write + [fault])
    with contextlib.suppress(RedisError):
        await partition.save()
    await partition.handle(RECORDS[25:26])
    await partition.save()
    assert await cursor_in(inner) == partition.saved == 26
    assert await rows_in(inner) == await rows_after(RECORDS[:26])


async def test_a_zombie_cannot_write_over_a_newer_owner_that_lost_its_rows_too() -> None:
    store = InMemoryStore()
    zombie = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    await zombie.handle(RECORDS[:5])
    owner = await partition_of(InMemoryOutput(), store, owner=SECOND, engine=ENGINE)
    await owner.handle(RECORDS[:8])
    store.restore(InMemoryStore())
    await zombie.save()
    await owner.save()
    await zombie.handle(RECORDS[5:6])
    with pytest.raises(FencedError):
        await zombie.save()
    assert await cursor_in(store) == 8
    assert await rows_in(store) == await rows_after(RECORDS[:8])
