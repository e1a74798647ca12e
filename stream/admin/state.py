"""An operator's view of a stream's state, and the changes that resolve what stops a worker.

A change is made in two steps, so that it can be shown before it is done: the group is found
empty, heads are read, then written by compare-and-swap. A worker that starts in between claims
its partitions first, and the change of those is refused.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from stream.admin.changes import Change, moved, rebuilt, without
from stream.admin.inspection import PartitionState, look
from stream.engine import Engine
from stream.event_log import EventLog
from stream.state.checkpoint import InspectableStore, Terms, TopicPartition
from stream.state.recovery import terms_of
from tidecast.errors import FencedError, GroupInUseError, StateError
from tidecast.topics import Topics, partition_of

POLL_S: Final = 0.5


class Group(Protocol):
    """What the commands need of the consumer group; `kafka_admin` is the real one."""

    async def members(self) -> list[str]:
        """The ids of the live members."""
        ...

    async def forgotten(self) -> bool:
        """Whether Kafka does not know the group."""
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Set committed offsets. Raises GroupInUseError while there are members."""
        ...


class Services(NamedTuple):
    """The outside world of the commands."""

    store: InspectableStore
    log: EventLog
    group: Group


class StateAdmin:
    """The state of one stream. Methods that return changes write nothing; `apply` does."""

    def __init__(self, engine: Engine, services: Services) -> None:
        self.engine = engine
        self.services = services
        self.topic = Topics.of(engine.stream.name).events

    async def terms(self) -> Terms:
        """What a worker of these settings would write under."""
        return terms_of(self.engine, await self.services.log.partitions(self.topic))

    async def look(self) -> list[PartitionState]:
        """Every partition in store and log; safe on a live stream."""
        return await look(self.services.store, self.services.log, self.topic)

    async def wait_until_idle(self, limit_s: float) -> None:
        """Return once the group has no members. Raises GroupInUseError when it keeps some."""
        deadline = time.monotonic() + limit_s
        while members := await self.services.group.members():
            if time.monotonic() >= deadline:
                raise GroupInUseError(_in_use(members))
            await asyncio.sleep(POLL_S)

    async def rebuild(
        self, numbers: Collection[int] = (), *, accept_loss: bool = False
    ) -> list[Change]:
        """Have the rows of some partitions, all by default, made anew from the log.

        Raises StateError for a number that is none, LogMismatchError when events were lost and
        `accept_loss` is not given, EpochError when forecast ids would repeat.
        """
        terms, states = await self.terms(), await self._states_at_rest()
        known = {state.place.partition for state in states}
        if unknown := sorted(set(numbers) - known):
            raise StateError(f"{self.topic} has no partition {unknown[0]}, but 0 to {max(known)}")
        chosen = [one for one in states if not numbers or one.place.partition in numbers]
        return [rebuilt(state, terms, accept_loss=accept_loss) for state in chosen]

    async def move_epoch(self) -> list[Change]:
        """Take the state over into the settings' epoch and a group that is counted anew.

        Raises LogMismatchError where the log was created anew.
        """
        terms, states = await self.terms(), await self._states_at_rest()
        return [change for state in states if (change := moved(state, terms)) is not None]

    async def drop_series(self, series_ids: Iterable[str]) -> tuple[list[Change], list[str]]:
        """Let some series begin afresh. Also returns which of them are not stored."""
        partitions = await self.services.log.partitions(self.topic)
        wanted = list(dict.fromkeys(series_ids))
        ids_at: defaultdict[int, list[str]] = defaultdict(list)
        for series_id in wanted:
            ids_at[partition_of(series_id, partitions)].append(series_id)
        changes: list[Change] = []
        stored: set[str] = set()
        for state in await self._states_at_rest():
            place, head = state.place, state.head
            found = await self.services.store.find(place, ids_at[place.partition])
            if head is not None and found:
                changes.append(without(place, head, list(found)))
                stored |= found.keys()
        return changes, [series_id for series_id in wanted if series_id not in stored]

    async def apply(self, changes: Sequence[Change]) -> None:
        """Do what was planned. A change that was cut short may be planned and applied again.

        Raises GroupInUseError or FencedError when a worker has started since.
        """
        commits = {one.place: one.commit for one in changes if one.commit is not None}
        if commits:
            await self.services.group.commit(commits)
        for change in changes:
            await self._write(change)

    async def _write(self, change: Change) -> None:
        place, found, write, *_ = change
        done = await self.services.store.swap(place, found, write)
        # A client that repeats a write after a lost reply finds its own head.
        if not done and await self.services.store.head(place) != write.head:
            raise FencedError(
                f"{place} was claimed meanwhile, nothing of it was changed; stop the workers, "
                "then run this again"
            )

    async def _states_at_rest(self) -> list[PartitionState]:
        """All states, read before the group was seen empty: a later claim changes the head."""
        states = await self.look()
        if members := await self.services.group.members():
            raise GroupInUseError(_in_use(members))
        return states


def _in_use(members: Sequence[str]) -> str:
    return (
        f"workers are running: {', '.join(members)}; stop them, then run this again (one that was "
        "killed, left with code 70, or has a worker.instance stays a member for worker.session_s)"
    )
