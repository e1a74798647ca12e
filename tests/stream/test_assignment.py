"""All partitions of a worker: claimed, saved, released, and dropped when they are lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from stream.assignment import Assignment, Batch, Services
from stream.checkpoint import Owner, Store, TopicPartition
from stream.records import LoggedRecord
from stream.testing import Fault, FaultyStore, InMemoryLog, InMemoryOutput, InMemoryStore
from tests.stream.broken import SlowStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import FIRST, PARTITIONS, PLACE, SECOND, engine_of
from tidecast.errors import LogMismatchError
from tidecast.messages import decode_forecast
from tidecast.settings import WorkerSettings

RECORDS: Final = records_of([Event("abc"[n % 3], n, float(n)) for n in range(30)])
OTHER: Final = TopicPartition(PLACE.topic, PLACE.partition + 1)
THIRD: Final = Owner(3, "worker-1")


class World:
    """What workers share: the store, the log, and one output for each of them."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or InMemoryStore()
        self.log = InMemoryLog()
        self.log.append(PLACE, RECORDS)
        self.log.append(OTHER, RECORDS)

    def worker(self, partitions: int = PARTITIONS) -> tuple[Assignment, InMemoryOutput]:
        output = InMemoryOutput()
        services = Services(self.store, self.log, output, lambda _topic: partitions)
        return Assignment(engine_of(step_seconds=60), services, WorkerSettings()), output


def batch(start: int, end: int, owner: Owner = FIRST, place: TopicPartition = PLACE) -> Batch:
    return Batch(place, owner, RECORDS[start:end])


def offsets(output: InMemoryOutput, place: TopicPartition = PLACE) -> list[int]:
    sources = [decode_forecast(message.value).source for _, message in output.messages]
    return [source.offset for source in sources if source.partition == place.partition]


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


async def test_when_the_store_is_flushed_the_rows_come_back_from_the_log() -> None:
    store = InMemoryStore()
    world = World(store)
    assignment, output = world.worker()
    await handle(assignment, [batch(0, 5)])
    await assignment.save()
    world.log.commit(PLACE, 5)
    await handle(assignment, [batch(5, 9)])
    store.restore(InMemoryStore())
    await assignment.save()
    assert assignment.committable() == {}
    await handle(assignment, [batch(9, 12)])
    await assignment.save()
    assert assignment.committable() == {PLACE: 12}
    # 5 to 8 are answered again, under the same ids: their checkpoint was lost.
    assert offsets(output) == [*range(9), *range(5, 12)]
    ids = {decode_forecast(message.value).forecast_id for _, message in output.messages}
    assert len(ids) == 12


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
    grown, output = world.worker(partitions=PARTITIONS + 1)
    with pytest.raises(LogMismatchError):
        await handle(grown, [batch(1, 2, SECOND)])
    assert output.messages == []
