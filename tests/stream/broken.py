"""Stores that leave a rule of the protocol out, or that are slow: what tests must notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from stream.checkpoint import Head, Store, TopicPartition


class UnfencedStore:
    """A store that swaps whatever head it holds."""

    def __init__(self, store: Store) -> None:
        self.head = store.head
        self.rows = store.rows
        self._store = store

    async def swap(
        self,
        partition: TopicPartition,
        expected: Head | None,
        head: Head,
        rows: Mapping[str, bytes],
        fresh: bool = False,
    ) -> bool:
        held = await self._store.head(partition)
        return await self._store.swap(partition, held, head, rows, fresh)


class SlowStore:
    """Not broken, but slow: something happens between the call of a write and the write."""

    def __init__(self, store: Store) -> None:
        self.head = store.head
        self.rows = store.rows
        self.before_swap: Callable[[], Awaitable[None]] | None = None
        self._store = store

    async def swap(
        self,
        partition: TopicPartition,
        expected: Head | None,
        head: Head,
        rows: Mapping[str, bytes],
        fresh: bool = False,
    ) -> bool:
        meanwhile, self.before_swap = self.before_swap, None
        if meanwhile:
            await meanwhile()
        return await self._store.swap(partition, expected, head, rows, fresh)
