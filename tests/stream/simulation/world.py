"""What outlives the workers, and the workers: processes with a task that consumes, one that claims
and one that saves and commits.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from stream.assignment import Assignment, Batch, Services
from stream.engine import Engine
from stream.records import LoggedRecord
from stream.state.checkpoint import Owner, Store, TopicPartition
from stream.testing import InMemoryLog, Message
from tests.stream.partitions import engine_of
from tests.stream.simulation.gates import Gate, GatedLog, GatedOutput, GatedStore
from tests.stream.simulation.vault import Vault
from tidecast.messages import Rejection
from tidecast.settings import WorkerSettings

ENGINE: Final = engine_of(
    context=5, step_seconds=60, aggregate="sum", end_after_slots=8, max_series=2
)
"""Series end and are refused. Sums, since an event that is applied twice must show: the last value
by event time would not."""
LARGEST_BATCH: Final = 5
IN_HAND: Final = 3
"""Batches of a worker answered at a time, of one partition or of several."""
TURNS: Final = 4
"""Turns of the event loop in which what was set free arrives at its next gate."""

Records = Mapping[TopicPartition, Sequence[LoggedRecord]]


class World:
    """What outlives the workers. The last four arguments leave a rule of the protocol out.

    engine: of every worker, in the place of ENGINE.
    """

    def __init__(
        self,
        random: Random,
        records: Records,
        vault: Vault,
        engine: Engine = ENGINE,
        break_store: Callable[[Store], Store] = lambda store: store,
        output_of: Callable[[list[Message | Rejection], Gate], GatedOutput] = GatedOutput,
        commits_early: bool = False,
        ignores_cursor: bool = False,
    ) -> None:
        self.random, self.records, self.vault = random, records, vault
        self.engine = engine
        self.log = InMemoryLog(partitions=len(records))
        for place, written in records.items():
            self.log.append(place, written)
        self.topic: list[Message | Rejection] = []
        self.generation = 0
        self.members: list[SimulatedWorker] = []
        """Who the group consists of; a zombie is none."""
        self.everyone: list[SimulatedWorker] = []
        self.break_store, self.output_of = break_store, output_of
        self.commits_early, self.ignores_cursor = commits_early, ignores_cursor
        self._numbers = itertools.count(1)

    @property
    def places(self) -> list[TopicPartition]:
        """The partitions that there are by now."""
        return list(self.records)[: self.log.partition_count]

    def start_worker(self) -> SimulatedWorker:
        """A new process; it has no partitions yet."""
        worker = SimulatedWorker(self, next(self._numbers))
        self.everyone.append(worker)
        return worker

    def commit(self, owner: Owner, place: TopicPartition, offset: int) -> None:
        """As Kafka does: only a member of the present generation may commit."""
        if any(owner == member.owner for member in self.members):
            self.log.commit(place, offset)

    async def open_one(self, workers: Sequence[SimulatedWorker]) -> None:
        """Let one step of one worker happen; a worker with an error has left the world."""
        ready = [worker for worker in workers if worker.gate.waiting and not worker.error]
        if ready:
            waiting = self.random.choice(ready).gate.waiting
            waiting.pop(self.random.randrange(len(waiting))).set_result(None)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        while any(worker.store.under_way for worker in self.everyone):
            await asyncio.sleep(0)


class SimulatedWorker:
    """One process. It learns of a new assignment by `give`, and of nothing else."""

    def __init__(self, world: World, number: int) -> None:
        self.number = number
        self.owner = Owner(0, "", number)
        self.places: list[TopicPartition] = []
        self.gate = Gate()
        self.output = world.output_of(world.topic, self.gate)
        self.store = GatedStore(world.break_store(world.vault.store), self.gate, world.random)
        services = Services(self.store, GatedLog(world.log, self.gate), self.output)
        self.assignment = Assignment(world.engine, services, WorkerSettings())
        self._world = world
        self._given = asyncio.Event()
        self._flowing = False
        self._room = asyncio.Semaphore(IN_HAND)
        self.tasks = [
            asyncio.create_task(self._consume_for_ever()),
            asyncio.create_task(self.assignment.claim_assigned()),
            asyncio.create_task(self._save_for_ever()),
        ]

    @property
    def error(self) -> BaseException | None:
        """What ended the process, if anything did."""
        done = [task for task in self.tasks if task.done() and not task.cancelled()]
        return next((error for task in done if (error := task.exception())), None)

    def give(self, places: Sequence[TopicPartition], owner: Owner) -> None:
        """Kafka's new assignment."""
        self.owner, self.places = owner, list(places)
        self.assignment.assigned(places, owner)
        self._flowing = True
        self._given.set()

    def give_up(self) -> asyncio.Task[None]:
        """Kafka takes the assignment back: finish, checkpoint, commit."""
        self._flowing = False
        task = asyncio.create_task(self._give_up())
        self.tasks.append(task)
        return task

    async def _give_up(self) -> None:
        await self.assignment.release(self.places)
        await self._commit()
        self.assignment.forget(self.places)

    async def _consume_for_ever(self) -> None:
        while True:
            await self._given.wait()
            self._given.clear()
            await self._consume(self.owner)

    async def _consume(self, owner: Owner) -> None:
        world, random = self._world, self._world.random
        places = list(self.places)
        left = {place: await self._records_left(place) for place in places}
        while self._flowing and self.owner == owner and any(left.values()):
            place = random.choice([place for place in places if left[place]])
            size = random.randint(1, LARGEST_BATCH)
            batch, left[place] = left[place][:size], left[place][size:]
            await self.gate()
            # Faust drops a batch at times and goes on behind it.
            if random.random() > 0.1:
                await self._begin(Batch(place, owner, batch))
            if world.commits_early:
                world.commit(owner, place, batch[-1].offset + 1)
        if self._flowing and self.owner == owner:
            # The last record again, in case it was in a batch that was dropped.
            for place in places:
                await self._begin(Batch(place, owner, world.records[place][-1:]))

    async def _begin(self, batch: Batch) -> None:
        await self._room.acquire()
        self.tasks.append(asyncio.create_task(self._answer(batch)))

    async def _answer(self, batch: Batch) -> None:
        held = self.assignment.held.get(batch.partition)
        if self._world.ignores_cursor and held is not None:
            held.cursor = min(held.cursor, batch.records[0].offset)
        await self.assignment.handle(batch)
        self._room.release()

    async def _records_left(self, place: TopicPartition) -> Sequence[LoggedRecord]:
        await self.gate()
        committed = (await self._world.log.bounds(place)).committed or 0
        return [record for record in self._world.records[place] if record.offset >= committed]

    async def _save_for_ever(self) -> None:
        while True:
            await self.gate()
            await self.assignment.save()
            await self._commit()

    async def _commit(self) -> None:
        owner = self.owner
        for place, offset in self.assignment.committable().items():
            await self.gate()
            self._world.commit(owner, place, offset)
