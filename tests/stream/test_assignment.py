"""All partitions of a worker: claimed, saved, released, and dropped when they are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest

from stream.assignment import REFUSED_SESSIONS, Assignment, Batch, Services
from stream.records import LoggedRecord
from stream.state.checkpoint import Owner, Store, TopicPartition
from stream.testing import Fault, FaultyStore, InMemoryLog, InMemoryOutput, InMemoryStore
from tests.stream.broken import CountingStore, SlowStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import FIRST, PARTITIONS, PLACE, SECOND, engine_of
from tidecast.errors import EpochError, LogMismatchError
from tidecast.messages import decode_forecast
from tidecast.settings import WorkerSettings

RECORDS: Final = records_of([Event("abc"[n % 3], n, float(n)) for n in range(30)])
OTHER: Final = TopicPartition(PLACE.topic, PLACE.partition + 1)
THIRD: Final = Owner(3, "worker-1")
LIMIT_S: Final = 5.0


class World:
    """What workers share: the store, the log, and one output for each of them."""

    def __init__(self, store: Store | None = None, partitions: int = PARTITIONS) -> None:
        self.now_s = 0.0
        self.store = store or InMemoryStore()
        self.log = InMemoryLog(partitions=partitions)
        self.log.append(PLACE, RECORDS)
        self.log.append(OTHER, RECORDS)

    def worker(self) -> tuple[Assignment, InMemoryOutput]:
        output = InMemoryOutput()
        services = Services(self.store, self.log, output)
        engine = engine_of(step_seconds=60)
        return Assignment(engine, services, WorkerSettings(), lambda: self.now_s), output


def batch(start: int, end: int, owner: Owner = FIRST, place: TopicPartition = PLACE) -> Batch:
    return Batch(place, owner, RECORDS[start:end])


def offsets(output: InMemoryOutput, place: TopicPartition = PLACE) -> list[int]:
    sources = [decode_forecast(message.value).source for _, message in output.messages]
    return [source.offset for source in sources if source.partition == place.partition]


async def until_held(assignment: Assignment, partitions: int) -> None:
    while len(assignment.committable()) < partitions:
        await asyncio.sleep(0)


async def handle(assignment: Assignment, batches: Sequence[Batch]) -> None:
    for one in batches:
        await assignment.handle(one)


async def test_a_partition_is_committable_up_to_its_checkpoint() -> None:
    assignment, output = World().worker()
    assert assignment.committable() == {}
    await handle(assignment, [batch(0, 5), batch(0, 3, place=OTHER), batch(5, 7)])
    assert assignment.committable() == {PLACE: 0, OTHER: 0}
    await assignment.save()
    assert assignment.committable() == {PLACE: 7, OTHER: 3}
    assert offsets(output) == list(range(7))
    assert offsets(output, OTHER) == list(range(3))


async def test_a_released_partition_is_saved_stays_committable_and_takes_no_more() -> None:
    assignment, output = World().worker()
    await handle(assignment, [batch(0, 5), batch(0, 5, place=OTHER)])
    await assignment.release([PLACE])
    await handle(assignment, [batch(5, 9), batch(5, 9, place=OTHER)])
    assert assignment.committable() == {PLACE: 5, OTHER: 0}
    assignment.forget([PLACE])
    await handle(assignment, [batch(5, 9)])
    assert assignment.committable() == {OTHER: 0}
    assert offsets(output) == list(range(5))
    assert offsets(output, OTHER) == list(range(9))


async def test_releasing_what_was_never_held_is_allowed() -> None:
    assignment, _ = World().worker()
    await assignment.release([PLACE])
    assignment.forget([PLACE])
    assert assignment.committable() == {}


async def test_a_partition_that_comes_back_goes_on_where_the_other_worker_stopped() -> None:
    world = World()
    first, first_output = world.worker()
    second, second_output = world.worker()
    await handle(first, [batch(0, 5)])
    await first.release([PLACE])
    first.forget([PLACE])
    await handle(second, [batch(3, 11, SECOND)])
    await second.release([PLACE])
    second.forget([PLACE])
    await handle(first, [batch(5, 9, FIRST), batch(9, 20, THIRD)])
    assert offsets(first_output) == [*range(5), *range(11, 20)]
    assert offsets(second_output) == list(range(5, 11))


async def test_a_new_generation_claims_anew_and_repeats_what_was_not_saved() -> None:
    assignment, output = World().worker()
    await handle(assignment, [batch(0, 5), batch(5, 9, SECOND)])
    await assignment.save()
    assert offsets(output) == [*range(5), *range(9)]
    assert assignment.committable() == {PLACE: 9}


async def test_a_fenced_worker_drops_the_partition_and_its_batches() -> None:
    world = World()
    zombie, zombie_output = world.worker()
    owner, owner_output = world.worker()
    await handle(zombie, [batch(0, 5)])
    await handle(owner, [batch(0, 8, SECOND)])
    await owner.save()
    await zombie.save()
    assert zombie.committable() == {}
    await handle(zombie, [batch(5, 9)])
    assert offsets(zombie_output) == list(range(5))
    assert offsets(owner_output) == list(range(8))
    assert owner.committable() == {PLACE: 8}


async def test_a_batch_of_an_older_generation_cannot_claim() -> None:
    world = World()
    zombie, zombie_output = world.worker()
    owner, _ = world.worker()
    await handle(owner, [batch(0, 8, SECOND)])
    await handle(zombie, [batch(0, 8, FIRST), batch(8, 9, FIRST)])
    assert offsets(zombie_output) == []
    assert zombie.committable() == {}


async def test_records_of_a_fetch_that_a_rebalance_overtook_are_answered() -> None:
    assignment, output = World().worker()
    assignment.assigned([PLACE], SECOND)
    # Passed over, they would not come again: Faust's position is behind them.
    await handle(assignment, [batch(0, 2, FIRST), batch(2, 3, SECOND), batch(3, 5, FIRST)])
    assert offsets(output) == list(range(5))
    await assignment.save()
    assert assignment.committable() == {PLACE: 5}


async def test_a_partition_that_was_claimed_anew_survives_the_end_of_its_forerunner() -> None:
    """A save that began in an older generation is refused only after the new claim."""
    world = World(SlowStore(InMemoryStore()))
    assert isinstance(world.store, SlowStore)
    assignment, output = world.worker()
    await handle(assignment, [batch(0, 5)])
    world.store.before_swap = lambda: handle(assignment, [batch(0, 8, SECOND)])
    await assignment.save()
    assert assignment.committable() == {PLACE: 0}
    await handle(assignment, [batch(8, 10, SECOND)])
    await assignment.save()
    assert assignment.committable() == {PLACE: 10}
    assert offsets(output)[-2:] == [8, 9]


async def test_when_the_store_is_flushed_the_rows_are_written_anew() -> None:
    store = InMemoryStore()
    world = World(store)
    assignment, output = world.worker()
    await handle(assignment, [batch(0, 5)])
    await assignment.save()
    world.log.commit(PLACE, 5)
    await handle(assignment, [batch(5, 9)])
    store.restore(InMemoryStore())
    await assignment.save()
    assert assignment.committable() == {PLACE: 9}
    await handle(assignment, [batch(9, 12)])
    await assignment.save()
    assert assignment.committable() == {PLACE: 12}
    assert offsets(output) == list(range(12))
    rows = {key: row async for part in store.rows(PLACE) for key, row in part.items()}
    assert rows.keys() == {"a", "b", "c"}


async def test_what_is_assigned_is_claimed_before_a_batch_comes() -> None:
    assignment, _ = World().worker()
    assignment.assigned([OTHER, PLACE], FIRST)
    claiming = asyncio.create_task(assignment.claim_assigned())
    await asyncio.wait_for(until_held(assignment, 2), LIMIT_S)
    claiming.cancel()
    assert assignment.committable() == {PLACE: 0, OTHER: 0}


@pytest.mark.parametrize(("away", "rows_read"), [(False, 0), (True, 3)])
async def test_a_table_that_the_store_still_confirms_is_not_loaded_again(
    away: bool, rows_read: int
) -> None:
    world = World(CountingStore(InMemoryStore()))
    assert isinstance(world.store, CountingStore)
    assignment, output = world.worker()
    await handle(assignment, [batch(0, 9)])
    await assignment.release([PLACE])
    assignment.forget([PLACE])
    if away:
        other, _ = world.worker()
        await handle(other, [batch(9, 10, SECOND)])
        world.store.parts = 0
    assignment.assigned([PLACE], THIRD)
    await handle(assignment, [batch(9, 12, THIRD)])
    assert world.store.parts == rows_read
    assert offsets(output) == list(range(12))


async def test_a_table_is_kept_only_for_partitions_that_come_back_at_once() -> None:
    world = World(CountingStore(InMemoryStore()))
    assert isinstance(world.store, CountingStore)
    assignment, output = world.worker()
    await handle(assignment, [batch(0, 9)])
    await assignment.release([PLACE])
    assignment.forget([PLACE])
    assignment.assigned([OTHER], SECOND)
    await handle(assignment, [batch(9, 12, THIRD)])
    assert world.store.parts == 3
    assert offsets(output) == list(range(12))


async def test_a_partition_that_kafka_gives_and_the_state_refuses_for_long_is_an_error() -> None:
    """Kafka forgets a group that is idle for a week, and then counts its generations anew."""
    world = World()
    before, _ = world.worker()
    await handle(before, [batch(0, 8, THIRD)])
    assignment, output = world.worker()
    await handle(assignment, [batch(0, 4, FIRST)])
    world.now_s += REFUSED_SESSIONS * WorkerSettings().session_s
    await handle(assignment, [batch(4, 8, FIRST)])
    world.now_s += 1
    with pytest.raises(EpochError, match="tidecast state move-epoch"):
        await handle(assignment, [batch(8, 9, FIRST)])
    assert output.messages == []


async def test_forecasts_go_on_while_the_store_is_away() -> None:
    store = FaultyStore(InMemoryStore())
    assignment, output = World(store).worker()
    await handle(assignment, [batch(0, 5)])
    store.faults.extend([Fault.UNREACHED] * 2)
    for start in (5, 6):
        await assignment.save()
        assert assignment.committable() == {PLACE: 0}
        await handle(assignment, [batch(start, start + 1)])
    await assignment.save()
    assert assignment.committable() == {PLACE: 7}
    assert offsets(output) == list(range(7))


async def test_a_poison_record_moves_the_cursor() -> None:
    assignment, output = World().worker()
    poison = LoggedRecord(1, 0, None, b"\xff")
    await assignment.handle(Batch(PLACE, FIRST, [RECORDS[0], poison, *RECORDS[2:4]]))
    await assignment.save()
    assert assignment.committable() == {PLACE: 4}
    assert [rejection.offset for _, rejection in output.rejected] == [1]


async def test_a_topic_of_another_size_stops_the_worker() -> None:
    world = World()
    await handle(world.worker()[0], [batch(0, 1)])
    grown, output = World(world.store, PARTITIONS + 1).worker()
    with pytest.raises(LogMismatchError):
        await handle(grown, [batch(1, 2, SECOND)])
    assert output.messages == []
