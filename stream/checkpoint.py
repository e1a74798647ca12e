"""The checkpoint protocol: who owns a partition, and up to which offset its rows are true.

A store keeps, for every partition, a *head* and the rows. The head changes by compare-and-swap
together with rows, so a reader sees rows of exactly one cursor. An owner is a member of the
consumer group in one of its generations; a younger generation outranks an older one, so a worker
that wakes from a long sleep can neither claim nor write what has moved on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from tidecast.errors import FencedError, LogMismatchError, StoreLostError


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Owner(NamedTuple):
    """A member of the consumer group, in the generation in which it was given a partition."""

    generation: int
    member: str


class Head(msgspec.Struct, frozen=True):
    """What is stored of a partition beside its rows.

    cursor: the next offset whose effect is not in the rows; None while the rows mean nothing.
    layout, model: what the rows and their states were made by. partitions: of the topic.
    writes: how many there were, so that a store that lost some never looks as if it had not.
    """

    generation: int
    member: str
    cursor: int | None
    layout: str
    model: str
    partitions: int
    writes: int = 0

    def outranks(self, owner: Owner) -> bool:
        """Whether this head was claimed by somebody with a better right than `owner`."""
        if self.generation != owner.generation:
            return self.generation > owner.generation
        return self.member != owner.member


class Store(Protocol):
    """Where heads and rows are kept. Calls raise RedisError when the store does not answer."""

    async def head(self, partition: TopicPartition) -> Head | None:
        """The head of a partition."""
        ...

    async def swap(
        self,
        partition: TopicPartition,
        expected: Head | None,
        head: Head,
        rows: Mapping[str, bytes],
        fresh: bool = False,
    ) -> bool:
        """Atomically write head and rows if the stored head is `expected`; say whether it was.

        `fresh` drops all older rows in the same step.
        """
        ...

    def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        """All rows of a partition, in parts."""
        ...


class Checkpoint:
    """One partition's place in the store, as its owner sees it."""

    def __init__(self, store: Store, partition: TopicPartition, owner: Owner, head: Head) -> None:
        self.partition = partition
        self.store = store
        self._owner = owner
        self._head = head
        self._unconfirmed: list[Head] = []

    @property
    def cursor(self) -> int | None:
        """The cursor that the store holds."""
        return self._head.cursor

    @property
    def model(self) -> str:
        """The graph that made the stored states."""
        return self._head.model

    @classmethod
    async def claim(
        cls,
        store: Store,
        partition: TopicPartition,
        owner: Owner,
        layout: str,
        model: str,
        partitions: int,
    ) -> Checkpoint:
        """Take the partition for `owner`. Rows of another layout are given up.

        Raises FencedError when a better owner holds it, LogMismatchError when the topic had
        another number of partitions.
        """
        while True:
            stored = await store.head(partition)
            if stored is not None and stored.outranks(owner):
                raise FencedError(f"{partition} belongs to generation {stored.generation}")
            if stored is not None and stored.partitions != partitions:
                raise LogMismatchError(
                    f"{partition.topic} had {stored.partitions} partitions when the state was "
                    f"written and has {partitions} now, so series have moved between partitions; "
                    "start a new stream name, or restore the topic"
                )
            useful = stored is not None and stored.layout == layout
            head = Head(
                generation=owner.generation,
                member=owner.member,
                cursor=stored.cursor if stored is not None and useful else None,
                layout=layout,
                model=stored.model if stored is not None and useful else model,
                partitions=partitions,
                writes=0 if stored is None else stored.writes + 1,
            )
            done = await store.swap(partition, stored, head, {}, fresh=head.cursor is None)
            # A client that repeats a write after a lost reply finds its own head.
            if done or await store.head(partition) == head:
                return cls(store, partition, owner, head)

    async def rows(self) -> AsyncIterator[dict[str, bytes]]:
        """The stored rows, in parts.

        Raises FencedError or StoreLostError after the last part when the store has moved on
        meanwhile: the parts are then not all of this cursor.
        """
        async for part in self.store.rows(self.partition):
            yield part
        stored = await self.store.head(self.partition)
        if stored != self._head:
            raise self._overtaken(stored)

    async def save(self, rows: Mapping[str, bytes], cursor: int | None, model: str) -> None:
        """Write changed rows and the cursor up to which they are true, at once.

        Safe to repeat after a RedisError: a write whose reply was lost is recognised.
        Raises FencedError when a better owner has claimed the partition, StoreLostError when
        the store went back behind what it had confirmed.
        """
        writes = self._head.writes + 1
        head = msgspec.structs.replace(self._head, cursor=cursor, model=model, writes=writes)
        self._unconfirmed.append(head)
        while not await self.store.swap(self.partition, self._head, head, rows):
            stored = await self.store.head(self.partition)
            if stored is None or stored not in self._unconfirmed:
                raise self._overtaken(stored)
            # An earlier write of ours did arrive, though its reply did not.
            self._unconfirmed.remove(stored)
            self._head = stored
            if stored == head:
                break
        self._head = head
        self._unconfirmed.clear()

    def _overtaken(self, stored: Head | None) -> FencedError | StoreLostError:
        if stored is not None and stored.outranks(self._owner):
            return FencedError(f"{self.partition} was claimed by generation {stored.generation}")
        return StoreLostError(f"the store lost the checkpoint of {self.partition}")
