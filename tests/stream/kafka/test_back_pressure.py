"""What a slow service makes grow is the lag in Kafka, never what the worker holds in memory."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import faust
import pytest
from faust.types import TP

from stream.app import BUFFERED_FETCHES, IN_HAND, build_app
from stream.assignment import Assignment, Batch, Services
from stream.kafka import batch_transport
from stream.partition import UNCONFIRMED_BATCHES
from stream.records import LoggedRecord
from stream.state.checkpoint import Owner
from stream.testing import Fault, FaultyStore, InMemoryLog, InMemoryOutput, InMemoryStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import FIRST, PLACE, engine_of, partition_of
from tidecast.errors import RedisError
from tidecast.settings import Settings, WorkerSettings

SERIES: Final = 100
BATCH: Final = 50
OUTAGE_BATCHES: Final = 1000
FETCHES: Final = 200
WAIT_S: Final = 10.0
GROWTH_BYTES: Final = 150_000
"""A mark per batch of the outage would take three times as much."""


def batches(count: int, first: int = 0) -> Iterator[list[LoggedRecord]]:
    """Batches of rising offsets over a fixed set of series."""
    for start in range(first * BATCH, (first + count) * BATCH, BATCH):
        events = [Event(f"s{n % SERIES}", n // SERIES, 1.0) for n in range(start, start + BATCH)]
        yield records_of(events, start)


async def settled(turns: int = 300) -> None:
    """Let everything run that can."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_an_output_that_stores_nothing_takes_a_few_batches_and_no_more() -> None:
    output = InMemoryOutput(at_once=False)
    partition = await partition_of(output, engine=engine_of(step_seconds=60))
    taken: list[int] = []

    async def feed() -> None:
        for batch in batches(50):
            await partition.handle(batch)
            taken.append(len(batch))

    feeding = asyncio.create_task(feed())
    await settled()
    assert len(taken) == UNCONFIRMED_BATCHES
    for _ in range(3):
        output.store()
        await settled()
    assert UNCONFIRMED_BATCHES < len(taken) <= 4 * (UNCONFIRMED_BATCHES + 1)
    feeding.cancel()


async def test_an_outage_of_the_store_leaves_a_mark_per_row_and_not_per_event() -> None:
    output, store = InMemoryOutput(), FaultyStore(InMemoryStore())
    partition = await partition_of(output, store, engine=engine_of(step_seconds=60))

    async def outage(first: int, count: int) -> None:
        for number, batch in enumerate(batches(count, first)):
            await partition.handle(batch)
            output.messages.clear()
            if number % 10 == 0:
                store.faults.append(Fault.UNREACHED)
                with pytest.raises(RedisError):
                    await partition.save()

    await outage(0, 100)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    await outage(100, OUTAGE_BATCHES)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < GROWTH_BYTES
    await partition.save()
    assert partition.saved == partition.cursor == (100 + OUTAGE_BATCHES) * BATCH


class Fetched(NamedTuple):
    """A record as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    timestamp_type: int = 1


class Consumer(batch_transport.Consumer):
    """Ours, with a broker that has more, always or for long."""

    most = sys.maxsize
    """Fetches, after which it has no more."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self.fetched = 0

    def _owner(self) -> Owner:
        return FIRST

    def assignment(self) -> set[TP]:
        return {TP(*PLACE)}

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        return True

    async def _wait_next_records(self, timeout: float) -> tuple[dict[TP, Any], set[TP]]:
        await asyncio.sleep(0)
        if self.fetched == self.most:
            return {}, {TP(*PLACE)}
        (batch,) = batches(1, self.fetched)
        self.fetched += 1
        return {TP(*PLACE): [Fetched(*record) for record in batch]}, {TP(*PLACE)}


class Transport(batch_transport.Transport):
    """Ours, with that consumer."""

    Consumer = Consumer


class Fetcher:
    """The service that runs the fetching."""

    should_stop = False


def fetch() -> list[Batch]:
    """What one fetch brought."""
    (records,) = batches(1)
    return [Batch(PLACE, FIRST, [Fetched(*record) for record in records])]


async def nobody_expels() -> None:
    """The group keeps us."""


def refused(error: Exception) -> None:
    raise AssertionError from error


def app_of(assignment: Assignment, fetches: int = sys.maxsize) -> faust.App:
    """The worker's app, with a broker that has so many fetches."""
    app = build_app(Settings(), assignment, nobody_expels, refused)
    app.transport = Transport(app.conf.broker_consumer, app, assignment, nobody_expels)
    app.consumer.most = fetches
    return app


def assignment_of() -> Assignment:
    """Partitions whose services answer at once."""
    services = Services(InMemoryStore(), InMemoryLog(), InMemoryOutput())
    return Assignment(engine_of(step_seconds=60), services, WorkerSettings())


@asynccontextmanager
async def working(app: faust.App) -> AsyncIterator[None]:
    """The agent runs, as after a first assignment, and is fed."""
    agent, place = app.agents["forecast"], TP(*PLACE)
    await agent.start()
    await settled()
    await app.topics._update_indices()
    await app.topics.on_partitions_assigned({place})
    app.flow_control.resume()
    app.consumer.resume_flow()
    draining = asyncio.create_task(app.consumer._drain_messages(Fetcher()))
    try:
        yield
    finally:
        draining.cancel()
        await agent.stop()


@pytest.mark.parametrize("slow", ["output", "store"])
async def test_fetching_stops_when_the_output_or_the_store_does(slow: str) -> None:
    output, store = InMemoryOutput(at_once=slow != "output"), FaultyStore(InMemoryStore())
    store.faults.extend([Fault.UNREACHED] * (1000 if slow == "store" else 0))
    services = Services(store, InMemoryLog(), output)
    assignment = Assignment(engine_of(step_seconds=60), services, WorkerSettings(outage_s=0))
    app = app_of(assignment)
    async with working(app):
        await settled(3000)
        in_hand = UNCONFIRMED_BATCHES + IN_HAND if slow == "output" else IN_HAND
        # One more waits for a hand, and one to be put into the buffer.
        assert app.consumer.fetched == in_hand + 1 + BUFFERED_FETCHES + 1


@pytest.mark.parametrize(("many", "fetched"), [(BATCH, 1), (BATCH + 1, FETCHES)])
async def test_a_fetch_of_many_puts_the_next_one_off(
    many: int, fetched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_transport, "MANY", many)
    monkeypatch.setattr(batch_transport, "GATHER_S", 60.0)
    app = app_of(assignment_of(), FETCHES)
    async with working(app):
        for _ in range(50):
            await settled()
        assert app.consumer.fetched == fetched


async def test_a_rebalance_does_not_wait_until_the_agent_has_room() -> None:
    app, given_up = app_of(assignment_of()), asyncio.Event()

    async def no_room(_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    app.consumer.callback = no_room
    delivering = asyncio.create_task(app.consumer._deliver(fetch()))
    await settled()
    assert not delivering.done()
    app.consumer.stop_flow()
    await asyncio.wait_for(delivering, WAIT_S)
    await asyncio.wait_for(given_up.wait(), WAIT_S)


@pytest.mark.parametrize("waits", [False, True])
async def test_what_a_delivery_fails_for_is_not_swallowed(waits: bool) -> None:
    app = app_of(assignment_of())

    async def failing(_: object) -> None:
        if waits:
            await settled()
        raise ZeroDivisionError

    app.consumer.callback = failing
    with pytest.raises(ZeroDivisionError):
        await app.consumer._deliver(fetch())


async def test_a_commit_leaves_nothing_in_faust_of_the_fetches_before() -> None:
    """It would keep the offset of each, to commit what we commit by checkpoint."""
    assignment = assignment_of()
    app = app_of(assignment, FETCHES)
    async with working(app):
        for _ in range(50):
            await settled()
            if assignment.held and assignment.held[PLACE].cursor == FETCHES * BATCH:
                break
        assert assignment.held[PLACE].cursor == FETCHES * BATCH
        assert sum(map(len, app.consumer._acked.values())) == FETCHES
        assert not app.consumer.unacked
        await app.consumer.commit()
        assert not app.consumer._acked
        assert not app.consumer._acked_index
