"""One partition's checkpoints: none ahead of its forecasts, none lost for good."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stream.records import LoggedRecord
from stream.testing import (
    Fault,
    FaultyStore,
    InMemoryOutput,
    InMemoryStore,
)
from tests.stream.one_partition import (
    ENGINE,
    RECORDS,
    cursor_in,
    rows_after,
    rows_in,
    settle,
)
from tests.stream.partitions import SECOND, claim, partition_of
from tidecast.errors import FencedError, KafkaError, RedisError


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
