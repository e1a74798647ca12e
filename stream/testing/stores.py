"""Stores of checkpoints in memory: one that works, one that fails on command."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from enum import Enum, auto

from stream.state.checkpoint import Head, Size, Store, TopicPartition, Write
from tidecast.errors import RedisError


class InMemoryStore:
    """A `checkpoint.InspectableStore` that lives as long as the process."""

    def __init__(self) -> None:
        self._heads: dict[TopicPartition, Head] = {}
        self._rows: defaultdict[TopicPartition, dict[str, bytes]] = defaultdict(dict)

    async def head(self, partition: TopicPartition) -> Head | None:
        """See Store."""
        return self._heads.get(partition)

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """See Store."""
        if self._heads.get(partition) != expected:
            return False
        rows = self._rows[partition]
        if write.fresh:
            rows.clear()
        for series_id in write.dropped:
            rows.pop(series_id, None)
        rows.update(write.rows)
        if write.head is None:
            self._heads.pop(partition, None)
        else:
            self._heads[partition] = write.head
        return True

    async def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        """See Store. One row a part; like a scan of Redis, not one moment's view of all."""
        for series_id in list(self._rows[partition]):
            if series_id in self._rows[partition]:
                yield {series_id: self._rows[partition][series_id]}

    async def size(self, partition: TopicPartition) -> Size:
        """See InspectableStore."""
        rows = self._rows[partition]
        return Size(len(rows), sum(map(len, rows.values())))

    async def find(self, partition: TopicPartition, series_ids: Sequence[str]) -> dict[str, bytes]:
        """See InspectableStore."""
        rows = self._rows[partition]
        return {series_id: rows[series_id] for series_id in series_ids if series_id in rows}

    def snapshot(self) -> InMemoryStore:
        """A copy of what is held now."""
        copy = InMemoryStore()
        copy.restore(self)
        return copy

    def restore(self, earlier: InMemoryStore) -> None:
        """Hold what a snapshot holds, as a server that lost its last writes; a new one: nothing."""
        self._heads = dict(earlier._heads)
        self._rows = defaultdict(dict, {key: dict(rows) for key, rows in earlier._rows.items()})


class Fault(Enum):
    """What goes wrong with a write."""

    UNREACHED = auto()
    """The write does not arrive."""
    REPLY_LOST = auto()
    """The write is done, the caller never hears of it."""


class FaultyStore:
    """Another store whose next writes meet the given faults, None for a write that goes well."""

    def __init__(self, store: Store, faults: Iterable[Fault | None] = ()) -> None:
        self.faults = deque(faults)
        self.head = store.head
        self.rows = store.rows
        self._store = store

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """See Store."""
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.UNREACHED:
            raise RedisError("the store was not reached")
        done = await self._store.swap(partition, expected, write)
        if fault is Fault.REPLY_LOST:
            raise RedisError("the store's reply was lost")
        return done
