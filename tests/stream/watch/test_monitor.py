"""The monitor of a worker whose services are in memory: what ends it, and what it waits out."""

from __future__ import annotations

from typing import Final

import pytest

from stream.assignment import Assignment, Batch, Services
from stream.testing import InMemoryLog, InMemoryOffsets, InMemoryOutput, InMemoryStore
from stream.watch.health import Membership
from stream.watch.monitor import Monitor, Sources
from tests.stream.events import Event, records_of
from tests.stream.partitions import FIRST, PLACE, engine_of
from tidecast.errors import LogMismatchError, WatchdogError
from tidecast.settings import WorkerSettings

RECORDS: Final = records_of([Event("abc"[n % 3], n, float(n)) for n in range(30)])
LOOK_S: Final = 5.0


class World:
    """A worker that is given one partition, and a clock that tests move."""

    def __init__(self, settings: WorkerSettings | None = None) -> None:
        settings = settings or WorkerSettings()
        self.log = InMemoryLog()
        self.log.append(PLACE, RECORDS)
        self.offsets = InMemoryOffsets(self.log)
        self.memory_mb = 200.0
        self.now_s = 1000.0
        services = Services(InMemoryStore(), self.log, InMemoryOutput())
        self.assignment = Assignment(engine_of(step_seconds=60), services, settings)
        sources = Sources(
            state=self.assignment.state,
            membership=lambda: Membership(True, frozenset([PLACE])),
            offsets=self.offsets,
            log=self.log,
            memory_mb=lambda: self.memory_mb,
        )
        self.monitor = Monitor(sources, settings, lambda: self.now_s)

    async def handle(self, start: int, end: int) -> None:
        await self.assignment.handle(Batch(PLACE, FIRST, RECORDS[start:end]))
        await self.assignment.save()

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.now_s += LOOK_S
            await self.monitor.look()


async def test_a_worker_that_keeps_up_is_ready_with_its_figures() -> None:
    world = World()
    await world.handle(0, 30)
    world.log.commit(PLACE, 28)
    await world.look()
    health = world.monitor.health()
    assert health.ready
    assert health.partitions[str(PLACE)]._asdict() == {
        "series": 3, "cursor": 30, "saved": 30, "committed": 28, "lag": 0,
    }  # fmt: skip
    world.monitor.stopping()
    assert world.monitor.health().reasons == ["stopping"]


async def test_events_that_nobody_works_on_end_the_worker() -> None:
    world = World(WorkerSettings(stall_s=20))
    await world.handle(0, 10)
    world.log.commit(PLACE, 10)
    await world.look(4)
    with pytest.raises(WatchdogError, match=r"20 events of tidecast.events/2 wait.*20 s"):
        await world.look()


async def test_offsets_without_events_are_no_lag() -> None:
    """As the markers of transactions are, which no consumer is ever given."""
    world = World(WorkerSettings(stall_s=20))
    await world.handle(0, 30)
    world.log.commit(PLACE, 30)
    world.log.end_at(PLACE, 31)
    await world.look(20)


async def test_events_that_are_gone_unread_are_an_error_of_state() -> None:
    world = World(WorkerSettings(stall_s=20))
    await world.handle(0, 10)
    world.log.commit(PLACE, 10)
    world.log.drop_before(PLACE, 20)
    with pytest.raises(LogMismatchError):
        await world.look(6)


async def test_commits_that_stop_end_the_worker() -> None:
    world = World(WorkerSettings(stall_s=20))
    for start in range(0, 16, 4):
        await world.handle(start, start + 4)
        await world.look()
    with pytest.raises(WatchdogError, match=r"checkpoints of tidecast.events/2 advance.*20 s"):
        await world.look(2)


async def test_a_silent_kafka_is_waited_for() -> None:
    world = World(WorkerSettings(stall_s=20))
    await world.look()
    world.offsets.silent = True
    await world.look(50)
    assert world.monitor.health().reasons[0] == "waiting for Kafka for 250 s"
    world.offsets.silent = False
    await world.handle(0, 30)
    await world.look()
    assert world.monitor.health().ready


async def test_a_worker_that_has_grown_too_large_leaves() -> None:
    world = World(WorkerSettings(memory_mb=300))
    await world.look()
    world.memory_mb = 301.0
    with pytest.raises(WatchdogError, match=r"301 MiB in memory, worker\.memory_mb is 300"):
        await world.look()
