"""Stores that leave a rule of the protocol out, that are slow, or that count: what tests notice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from stream.state.checkpoint import Head, Store, TopicPartition, Write


class UnfencedStore:
    """A store that swaps whatever head it holds."""

    def __init__(self, store: Store) -> None:
        self.head = store.head
        self.rows = store.rows
        self._store = store

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        held = await self._store.head(partition)
        return await self._store.swap(partition, held, write)


class SlowStore:
    """Not broken, but slow: something happens between the call of a write and the write."""

    def __init__(self, store: Store) -> None:
        self.head = store.head
        self.rows = store.rows
        self.before_swap: Callable[[], Awaitable[None]] | None = None
        self._store = store

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        meanwhile, self.before_swap = self.before_swap, None
        if meanwhile:
            await meanwhile()
        return await self._store.swap(partition, expected, write)


class CountingStore:
    """Not broken: counts the parts of rows that are read."""

    def __init__(self, store: Store) -> None:
        self.head = store.head
        self.swap = store.swap
        self.parts = 0
        self._store = store

    async def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        async for part in self._store.rows(partition):
            self.parts += 1
            yield part
