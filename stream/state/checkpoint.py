"""The checkpoint protocol: who owns a partition, and up to which offset its rows are true.

A store keeps, for every partition, a *head* and the rows. The head changes by compare-and-swap
together with rows, so a reader sees rows of exactly one cursor. An owner is a member of the
consumer group in one of its generations; a younger generation outranks an older one, so a worker
that wakes from a long sleep can neither claim nor write what has moved on. Within a generation
the process that was started later outranks: it has taken an older one's place by its instance id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from tidecast.errors import EpochError, FencedError, LogMismatchError, StoreLostError


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Owner(NamedTuple):
    """A member of the consumer group, in the generation in which it was given a partition.

    started_ns: when the member's process was started, nanoseconds since 1970.
    """

    generation: int
    member: str
    started_ns: int = 0


NOBODY: Final = Owner(0, "")
"""Kafka counts generations from 1: whoever comes outranks it."""


class Terms(NamedTuple):
    """What heads and rows are written under; rows of other terms are not simply gone on with.

    layout, model: what the rows and their states are made by. partitions: of the topic.
    epoch: of the stream's forecast ids.
    """

    layout: str
    model: str
    partitions: int
    epoch: int = 0


class Head(msgspec.Struct, frozen=True):
    """What is stored of a partition beside its rows.

    cursor: the next offset whose effect is not in the rows; None while the rows mean nothing.
    writes: how many there were, so that a store that lost some never looks as if it had not.
    The rest: who claimed it (`Owner`), and under which `Terms`.
    """

    generation: int
    member: str
    started_ns: int
    cursor: int | None
    layout: str
    model: str
    partitions: int
    epoch: int
    writes: int

    def outranks(self, owner: Owner) -> bool:
        """Whether this head was claimed by somebody with a better right than `owner`."""
        if self.generation != owner.generation:
            return self.generation > owner.generation
        return self.member != owner.member and self.started_ns > owner.started_ns


class Write(NamedTuple):
    """What one write changes: the head, some rows, the rows of `dropped` series.

    head: None takes the head away. fresh: all older rows go too.
    """

    head: Head | None
    rows: Mapping[str, bytes] = {}
    dropped: Collection[str] = ()
    fresh: bool = False


class Store(Protocol):
    """Where heads and rows are kept. Calls raise RedisError when the store does not answer."""

    async def head(self, partition: TopicPartition) -> Head | None:
        """The head of a partition."""
        ...

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """Atomically do a write if the stored head is `expected`; say whether it was."""
        ...

    def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        """All rows of a partition, in parts."""
        ...


class Size(NamedTuple):
    """How much is stored of a partition."""

    rows: int
    bytes: int


class InspectableStore(Store, Protocol):
    """A store that an operator may look into without reading all of it."""

    async def size(self, partition: TopicPartition) -> Size:
        """How many rows a partition has, and about how much memory they take."""
        ...

    async def find(self, partition: TopicPartition, series_ids: Sequence[str]) -> dict[str, bytes]:
        """The rows of the given series, of those that are there."""
        ...


class Checkpoint:
    """One partition's place in the store, as its owner sees it."""

    def __init__(
        self,
        store: Store,
        partition: TopicPartition,
        owner: Owner,
        terms: Terms,
        found: Head | None,
        head: Head,
    ) -> None:
        self.partition = partition
        self.store = store
        self.found = found
        """The head as it was before the claim."""
        self._owner = owner
        self._terms = terms
        self._head = head
        self._unconfirmed: list[Head] = []

    @property
    def head(self) -> Head:
        """What the store holds, as far as it was confirmed."""
        return self._head

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
        cls, store: Store, partition: TopicPartition, owner: Owner, terms: Terms
    ) -> Checkpoint:
        """Take the partition for `owner`. Rows of another layout are given up.

        Raises FencedError when a better owner holds it, LogMismatchError when the topic had
        another number of partitions, EpochError when the stream had another epoch.
        """
        while True:
            stored = await store.head(partition)
            _check(partition, stored, owner, terms)
            useful = stored is not None and stored.layout == terms.layout
            head = head_of(
                owner,
                terms,
                cursor=stored.cursor if stored is not None and useful else None,
                model=stored.model if stored is not None and useful else terms.model,
                writes=0 if stored is None else stored.writes + 1,
            )
            write = Write(head, fresh=head.cursor is None)
            done = await store.swap(partition, stored, write)
            # A client that repeats a write after a lost reply finds its own head.
            if done or await store.head(partition) == head:
                return cls(store, partition, owner, terms, stored, head)

    async def renew(self) -> None:
        """Claim what the store has lost again, with no rows: the caller holds them all.

        Raises FencedError when a better owner has claimed it, RedisError.
        """
        stored = await self.store.head(self.partition)
        if stored is not None and stored.outranks(self._owner):
            raise FencedError(f"{self.partition} was claimed by generation {stored.generation}")
        # Beyond every number used before: an older head that comes back is never taken for it.
        used = [one.writes for one in (stored, self._head, *self._unconfirmed) if one is not None]
        head = head_of(
            self._owner, self._terms, cursor=None, model=self._terms.model, writes=max(used) + 1
        )
        self._unconfirmed.append(head)
        if await self.store.swap(self.partition, stored, Write(head, fresh=True)):
            self._head = head
            self._unconfirmed.clear()

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

    async def save(
        self,
        rows: Mapping[str, bytes],
        cursor: int | None,
        model: str,
        dropped: Collection[str] = (),
    ) -> None:
        """Write changed rows and the cursor up to which they are true, and drop rows, at once.

        Safe to repeat after a RedisError: a write whose reply was lost is recognised.
        Raises FencedError when a better owner has claimed the partition, StoreLostError when
        the store went back behind what it had confirmed.
        """
        writes = self._head.writes + 1
        head = msgspec.structs.replace(self._head, cursor=cursor, model=model, writes=writes)
        self._unconfirmed.append(head)
        write = Write(head, rows, dropped)
        while not await self.store.swap(self.partition, self._head, write):
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


def _check(partition: TopicPartition, stored: Head | None, owner: Owner, terms: Terms) -> None:
    """Refuse a claim that the stored head forbids."""
    if stored is None:
        return
    if stored.outranks(owner):
        raise FencedError(f"{partition} belongs to generation {stored.generation}")
    if stored.partitions != terms.partitions:
        raise LogMismatchError(
            f"{partition.topic} had {stored.partitions} partitions when the state was written and "
            f"has {terms.partitions} now, so series have moved between partitions; `tidecast state "
            "rebuild` makes the state anew from the log"
        )
    if stored.epoch != terms.epoch:
        raise EpochError(
            f"the state of {partition} belongs to epoch {stored.epoch}, stream.epoch is "
            f"{terms.epoch}; `tidecast state move-epoch` takes the state over"
        )


def head_of(owner: Owner, terms: Terms, cursor: int | None, model: str, writes: int) -> Head:
    """The head of a partition that `owner` holds under `terms`."""
    return Head(
        generation=owner.generation,
        member=owner.member,
        started_ns=owner.started_ns,
        cursor=cursor,
        layout=terms.layout,
        model=model,
        partitions=terms.partitions,
        epoch=terms.epoch,
        writes=writes,
    )
