"""A seeded course of events: what befalls workers and store, then a last worker in peace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from stream.state.checkpoint import Owner
from tests.stream.simulation.vault import Content
from tests.stream.simulation.world import SimulatedWorker, World
from tidecast.errors import LogMismatchError, StateError

MOST_MEMBERS: Final = 3
LEAVING_STEPS: Final = 60
"""Steps after which a member that has not given up its partitions is left out of the group."""
LAST_STEPS: Final = 20_000


async def run_world(world: World, grows: bool = False) -> None:
    """Trouble of every kind, then peace. Raises StateError when a worker stops without need.

    grows: one partition is added only half-way, and the operator has the state rebuilt.
    """
    course = _Course(world)
    grows = grows and len(world.records) > 1
    world.log.partition_count -= grows
    try:
        await course.rebalance()
        await course.storm(world.random.randint(0, 200))
        if grows:
            await course.grow()
            await course.storm(world.random.randint(0, 100))
        await course.calm()
    finally:
        await _end(world.everyone)


class _Course:
    """The workers as they fare."""

    def __init__(self, world: World) -> None:
        self._world, self._random = world, world.random
        self._awake: list[SimulatedWorker] = []
        self._frozen: list[SimulatedWorker] = []
        self._snapshots: list[Content] = [{}]
        self._tolerated: tuple[type[Exception], ...] = ()

    async def storm(self, steps: int) -> None:
        troubles = [self.rebalance, self.kill, self.freeze, self.thaw, self.replace, self.rename]
        for _ in range(steps):
            await self._step()
            if self._random.random() < 0.03:
                await self._random.choice(troubles)()
            await self.trouble_the_store()

    async def rebalance(self) -> None:
        """Everybody gives up; who does so in time is a member of the next generation."""
        world, random = self._world, self._random
        leaving = {member: member.give_up() for member in world.members if member in self._awake}
        for _ in range(LEAVING_STEPS):
            if all(task.done() for task in leaving.values()):
                break
            await self._step()
        members = [member for member, task in leaving.items() if task.done() and not member.error]
        if len(members) < MOST_MEMBERS and (not members or random.random() < 0.5):
            members.append(self._start())
        world.generation += 1
        world.members = members
        shares = random.choices(range(len(members)), k=len(world.places))
        for number, member in enumerate(members):
            own = [
                place for place, share in zip(world.places, shares, strict=True) if share == number
            ]
            member.give(own, Owner(world.generation, f"worker-{member.number}", member.number))

    async def kill(self) -> None:
        """SIGKILL: of what was on its way to Kafka some arrives."""
        if self._awake:
            killed = self._random.choice(self._awake)
            killed.output.store(self._random.randint(0, len(killed.output.in_flight)))
            self._awake.remove(killed)
            await self.rebalance()

    async def freeze(self) -> None:
        """SIGSTOP, for so long that the group goes on without it."""
        if self._awake:
            self._frozen.append(self._awake.pop(self._random.randrange(len(self._awake))))
            await self.rebalance()

    async def thaw(self) -> None:
        """SIGCONT: it goes on with what it holds, until Kafka tells it better."""
        if self._frozen:
            self._awake.append(self._frozen.pop())

    async def replace(self) -> None:
        """A worker is started in the place of another, which does not know it yet."""
        members = self._world.members
        if members:
            place = self._random.randrange(len(members))
            old, members[place] = members[place], self._start()
            name = f"worker-{members[place].number}"
            owner = Owner(self._world.generation, name, members[place].number)
            members[place].give(old.places, owner)

    async def rename(self) -> None:
        """A member loses its name and joins again in its old place, in the same generation."""
        members = [member for member in self._world.members if member in self._awake]
        if members:
            member = self._random.choice(members)
            leaving = member.give_up()
            for _ in range(LEAVING_STEPS):
                await self._step()
            if leaving.done() and member in self._world.members and not member.error:
                name = f"{member.owner.member}-again"
                member.give(member.places, Owner(self._world.generation, name, member.number))

    async def trouble_the_store(self) -> None:
        """Now and then the store loses its last writes, or everything."""
        chance, vault = self._random.random(), self._world.vault
        if chance < 0.02:
            self._snapshots.append(await vault.content())
        elif chance < 0.03:
            await vault.restore(self._random.choice(self._snapshots))
        elif chance < 0.033:
            await vault.restore({})

    async def grow(self) -> None:
        """A partition more: workers refuse the old state, the operator drops it."""
        world = self._world
        self._tolerated = (LogMismatchError,)
        world.log.partition_count += 1
        await self.rebalance()
        if await world.vault.content():
            await self._until_refused()
        self._awake.clear()
        self._frozen.clear()
        self._snapshots = [{}]
        self._tolerated = ()
        await world.vault.restore({})
        world.members = []
        await self.rebalance()

    async def _until_refused(self) -> None:
        for _ in range(LAST_STEPS):
            await self._step()
            if any(worker.error for worker in self._awake):
                return
        raise StateError("nobody noticed the new partition")

    async def calm(self) -> None:
        """A last worker gets everything; zombies may go on."""
        world = self._world
        world.members = []
        self._awake += self._frozen
        await self.rebalance()
        (last,) = world.members
        wanted = {place: world.records[place][-1].offset + 1 for place in world.places}
        for _ in range(LAST_STEPS):
            await self._step()
            if last.assignment.committable() == wanted:
                return
        raise StateError(f"it never ends: {last.assignment.committable()} of {wanted}")

    async def _step(self) -> None:
        await self._world.open_one(self._awake)
        for worker in self._awake:
            if worker.error is not None and not isinstance(worker.error, self._tolerated):
                raise worker.error

    def _start(self) -> SimulatedWorker:
        worker = self._world.start_worker()
        self._awake.append(worker)
        return worker


async def _end(workers: Sequence[SimulatedWorker]) -> None:
    tasks = [task for worker in workers for task in worker.tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
