"""Workers that are killed, frozen and relieved between any two steps, over one store and one log.

Every call of a service is two gates, one before its effect and one after; a seeded world opens
one gate at a time. A killed worker's gates are never opened again. A frozen one is passed over
for a while, and its gates are opened again when others have taken its partition: a zombie.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from random import Random

from stream.assignment import Assignment, Batch, Services
from stream.checkpoint import Head, Owner, Store, TopicPartition, Write
from stream.encoder import Message
from stream.event_log import Bounds
from stream.output import Delivery
from stream.records import LoggedRecord, Record
from stream.testing import InMemoryLog, InMemoryStore
from tests.stream.partitions import PLACE, engine_of
from tidecast.errors import RedisError, StateError
from tidecast.messages import Rejection
from tidecast.settings import WorkerSettings

ENGINE = engine_of(context=5, step_seconds=60)
LARGEST_BATCH = 5


class Gate:
    """Where one worker's steps wait."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(opened)
        await opened


class GatedStore:
    """A store behind gates; now and then a checkpoint, or the reply to it, is lost."""

    def __init__(self, store: Store, gate: Gate, random: Random) -> None:
        self._store, self._gate, self._random = store, gate, random

    async def head(self, partition: TopicPartition) -> Head | None:
        await self._gate()
        head = await self._store.head(partition)
        await self._gate()
        return head

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        # A claim that fails is tried again after a pause, which a simulation has no time for.
        unlucky = write.rows and write.head.cursor is not None and self._random.random() < 0.2
        await self._gate()
        if unlucky and self._random.random() < 0.5:
            raise RedisError("the store was not reached")
        done = await self._store.swap(partition, expected, write)
        await self._gate()
        if unlucky:
            raise RedisError("the store's reply was lost")
        return done

    async def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        async for part in self._store.rows(partition):
            await self._gate()
            yield part


class GatedLog:
    """A log behind gates."""

    def __init__(self, log: InMemoryLog, gate: Gate) -> None:
        self.partitions = log.partitions
        self._log, self._gate = log, gate

    async def bounds(self, partition: TopicPartition) -> Bounds:
        await self._gate()
        bounds = await self._log.bounds(partition)
        await self._gate()
        return bounds

    async def read(
        self, partition: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        async for part in self._log.read(partition, start, end):
            await self._gate()
            yield part


class GatedOutput:
    """A producer: what it has accepted is stored when it is waited for, or perhaps earlier."""

    def __init__(self, topic: list[Message | Rejection], gate: Gate) -> None:
        self.in_flight: list[Message | Rejection] = []
        self._topic, self._gate = topic, gate

    async def forecasts(self, partition: int, messages: Iterable[Message]) -> list[Delivery]:
        return await self._accept(list(messages))

    async def rejections(self, partition: int, rejections: Iterable[Rejection]) -> list[Delivery]:
        return await self._accept(list(rejections))

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        await self._gate()
        self.store(len(self.in_flight))
        await self._gate()

    def store(self, count: int) -> None:
        """The first so many of those in flight arrive in the topic."""
        self._topic += self.in_flight[:count]
        del self.in_flight[:count]

    async def _accept(self, taken: Sequence[Message | Rejection]) -> list[Delivery]:
        await self._gate()
        self.in_flight += taken
        delivery: Delivery = asyncio.get_running_loop().create_future()
        delivery.set_result(None)
        return [delivery]


class HastyOutput(GatedOutput):
    """Broken: says that everything is stored while it is still in flight."""

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        await self._gate()


class World:
    """What outlives the workers. The last three arguments leave a rule of the protocol out."""

    def __init__(
        self,
        random: Random,
        records: Sequence[LoggedRecord],
        break_store: Callable[[Store], Store] = lambda store: store,
        output_of: Callable[[list[Message | Rejection], Gate], GatedOutput] = GatedOutput,
        commits_early: bool = False,
    ) -> None:
        self.random, self.records = random, records
        self.store, self.log = InMemoryStore(), InMemoryLog()
        self.log.append(PLACE, records)
        self.topic: list[Message | Rejection] = []
        self.generation = 0
        self.break_store, self.output_of, self.commits_early = break_store, output_of, commits_early

    def commit(self, owner: Owner, offset: int) -> None:
        """As Kafka does: a commit of an older generation is refused."""
        if owner.generation == self.generation:
            self.log.commit(PLACE, offset)

    async def committed(self) -> int:
        return (await self.log.bounds(PLACE)).committed or 0


class SimulatedWorker:
    """One process: a task that consumes, and one that saves and commits."""

    def __init__(self, world: World) -> None:
        world.generation += 1
        self.owner = Owner(world.generation, f"worker-{world.generation}")
        self.gate = Gate()
        self.output = world.output_of(world.topic, self.gate)
        store = GatedStore(world.break_store(world.store), self.gate, world.random)
        log = GatedLog(world.log, self.gate)
        services = Services(store, log, self.output)
        self.assignment = Assignment(ENGINE, services, WorkerSettings())
        self._world = world
        self.tasks = [asyncio.create_task(self._consume()), asyncio.create_task(self._save())]

    async def _consume(self) -> None:
        world, position = self._world, await self._world.committed()
        while position < len(world.records):
            end = position + world.random.randint(1, LARGEST_BATCH)
            await self.gate()
            # Faust drops a batch at times and goes on behind it.
            if world.random.random() > 0.1:
                batch = Batch(PLACE, self.owner, world.records[position:end])
                await self.assignment.handle(batch)
            if world.commits_early:
                world.commit(self.owner, min(end, len(world.records)))
            position = end
        # The last batch again, in case it was the one that was dropped.
        await self.assignment.handle(Batch(PLACE, self.owner, world.records[-1:]))

    async def _save(self) -> None:
        while True:
            await self.gate()
            await self.assignment.save()
            await self._commit()

    async def leave(self) -> None:
        """Give the partition up in peace."""
        await self.assignment.release([PLACE])
        await self._commit()
        self.assignment.forget([PLACE])

    async def _commit(self) -> None:
        for offset in self.assignment.committable().values():
            await self.gate()
            self._world.commit(self.owner, offset)

    def failed(self) -> BaseException | None:
        """What ended the process, if anything did."""
        done = [task for task in self.tasks if task.done()]
        return next((error for task in done if (error := task.exception())), None)


async def run_world(world: World) -> None:
    """Several generations with every kind of trouble, then a last worker in peace."""
    random = world.random
    old: list[SimulatedWorker] = []
    everyone: list[SimulatedWorker] = []
    snapshots = [world.store.snapshot()]
    for _ in range(random.randint(1, 4)):
        worker = SimulatedWorker(world)
        everyone.append(worker)
        for _ in range(random.randint(0, 120)):
            await open_one(random, [worker, *old])
            trouble_the_store(world, snapshots)
        match random.choice(["killed", "frozen", "relieved"]):
            case "killed":
                worker.output.store(random.randint(0, len(worker.output.in_flight)))
            case "frozen":
                old.append(worker)
            case "relieved":
                worker.tasks.append(asyncio.create_task(worker.leave()))
                for _ in range(random.randint(0, 40)):
                    await open_one(random, [worker])
                old.append(worker)
    last = SimulatedWorker(world)
    while last.assignment.committable() != {PLACE: len(world.records)}:
        await open_one(random, [last, *old])
        if error := last.failed():
            raise error
    await end([*everyone, last])


async def open_one(random: Random, workers: Sequence[SimulatedWorker]) -> None:
    """Let one step of one worker happen; a worker with an error has left the world."""
    living = [worker for worker in workers if worker.gate.waiting and not worker.failed()]
    if living:
        waiting = random.choice(living).gate.waiting
        waiting.pop(random.randrange(len(waiting))).set_result(None)
    # A few turns of the loop, so that what is set free arrives at its next gate.
    for _ in range(4):
        await asyncio.sleep(0)


def trouble_the_store(world: World, snapshots: list[InMemoryStore]) -> None:
    """Now and then the store loses its last writes, or everything."""
    chance = world.random.random()
    if chance < 0.02:
        snapshots.append(world.store.snapshot())
    elif chance < 0.03:
        world.store.restore(world.random.choice(snapshots))
    elif chance < 0.033:
        world.store.restore(InMemoryStore())


async def end(workers: Sequence[SimulatedWorker]) -> None:
    tasks = [task for worker in workers for task in worker.tasks]
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception) and not isinstance(result, StateError):
            raise result
