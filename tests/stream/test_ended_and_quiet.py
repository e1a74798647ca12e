"""Ended series leave the store, quiet ones are forecast: what a partition does about both."""

from __future__ import annotations

import pytest

from stream.engine import Engine
from stream.records import LoggedRecord
from stream.state.recovery import recover
from stream.testing import (
    CountingPredictor,
    Fault,
    FaultyStore,
    InMemoryLog,
    InMemoryOutput,
    InMemoryStore,
)
from tests.stream.events import STEP_MS, Event, records_of
from tests.stream.one_partition import rows_in
from tests.stream.partitions import PARTITIONS, PLACE, SECOND, claim, partition_of
from tidecast.errors import KafkaError, RedisError
from tidecast.messages import Status, decode_forecast
from tidecast.settings import StreamSettings

ENGINE = Engine(
    CountingPredictor(8),
    StreamSettings(
        partitions=PARTITIONS,
        step_seconds=STEP_MS // 1000,
        end_after_slots=4,
        stale_after_slots=1,
        stale_for_slots=1,
    ),
)
RECORDS = records_of(
    [Event("a", 0, 1.0), Event("b", 0, 1.0), Event("b", 9, 1.0), Event("a", 9, 2.0)]
)


async def filled(store: InMemoryStore, *batches: list[LoggedRecord]) -> None:
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    for batch in batches:
        await partition.handle(batch)
        await partition.save()


async def test_a_series_that_ended_leaves_the_store_with_the_checkpoint() -> None:
    store = InMemoryStore()
    await filled(store, RECORDS[:2], RECORDS[2:3])
    assert set(await rows_in(store)) == {"b"}


@pytest.mark.parametrize("cut", [2, 3, 4])
async def test_a_series_that_came_back_is_in_the_store(cut: int) -> None:
    store, at_once = InMemoryStore(), InMemoryStore()
    await filled(store, RECORDS[:cut], RECORDS[cut:])
    await filled(at_once, RECORDS)
    assert set(await rows_in(store)) == {"a", "b"}
    assert await rows_in(store) == await rows_in(at_once)


async def test_what_ended_is_dropped_by_the_next_checkpoint_when_one_failed() -> None:
    store = InMemoryStore()
    faulty = FaultyStore(store)
    partition = await partition_of(InMemoryOutput(), faulty, engine=ENGINE)
    await partition.handle(RECORDS[:2])
    await partition.save()
    await partition.handle(RECORDS[2:3])
    faulty.faults.append(Fault.UNREACHED)
    with pytest.raises(RedisError):
        await partition.save()
    await partition.save()
    assert set(await rows_in(store)) == {"b"}


@pytest.mark.parametrize(("end", "left"), [(3, {"b"}), (4, {"a", "b"})])
async def test_what_ended_in_a_silent_replay_leaves_the_store(end: int, left: set[str]) -> None:
    store, log = InMemoryStore(), InMemoryLog()
    await filled(store, RECORDS[:2])
    log.append(PLACE, RECORDS)
    log.commit(PLACE, end)
    checkpoint = await claim(store, SECOND, ENGINE)
    table, cursor = await recover(ENGINE, checkpoint, log, rebuild_records=100)
    assert cursor == end
    assert await rows_in(store) == table.dump(table.rows())
    assert set(await rows_in(store)) == left


async def test_quiet_series_are_forecast_once_the_log_is_read_to_its_end() -> None:
    output, log = InMemoryOutput(), InMemoryLog()
    log.append(PLACE, RECORDS)
    partition = await partition_of(output, log=log, engine=ENGINE)
    await partition.handle(RECORDS[:3])
    answers = len(output.messages)
    await partition.forecast_quiet(11 * STEP_MS)
    assert len(output.messages) == answers
    await partition.handle(RECORDS[3:])
    await partition.forecast_quiet(11 * STEP_MS)
    await partition.forecast_quiet(11 * STEP_MS + 1)
    stale = [decode_forecast(message.value) for _, message in output.messages[answers + 1 :]]
    assert sorted((one.series_id, one.status) for one in stale) == [
        ("a", Status.STALE),
        ("b", Status.STALE),
    ]


async def test_a_released_partition_forecasts_nothing() -> None:
    output, log = InMemoryOutput(), InMemoryLog()
    log.append(PLACE, RECORDS)
    partition = await partition_of(output, log=log, engine=ENGINE)
    await partition.handle(RECORDS)
    answers = len(output.messages)
    await partition.release()
    await partition.forecast_quiet(11 * STEP_MS)
    assert len(output.messages) == answers


async def test_stale_forecasts_that_were_not_stored_hold_up_no_checkpoint() -> None:
    output, log = InMemoryOutput(at_once=False), InMemoryLog()
    log.append(PLACE, RECORDS)
    partition = await partition_of(output, log=log, engine=ENGINE)
    await partition.handle(RECORDS)
    output.store()
    await partition.forecast_quiet(11 * STEP_MS)
    output.refuse()
    assert await partition.save()
    with pytest.raises(KafkaError):
        await partition.forecast_quiet(12 * STEP_MS)
    await partition.forecast_quiet(12 * STEP_MS)
