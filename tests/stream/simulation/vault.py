"""Stores that can be put back to what they held before, as a server that lost writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import SecretStr
from redis.asyncio import Redis

from stream.state.checkpoint import Head, Store, TopicPartition, Write
from stream.state.redis_store import RedisStore
from stream.testing import InMemoryStore
from tidecast.settings import RedisSettings

Content = Mapping[TopicPartition, "Kept"]


class Kept(NamedTuple):
    """What a store holds of a partition."""

    head: Head
    rows: dict[str, bytes]


class Vault(Protocol):
    """A store and the power to turn it back."""

    @property
    def store(self) -> Store: ...

    async def content(self) -> Content:
        """All that is held now."""
        ...

    async def restore(self, content: Content) -> None:
        """Hold this and nothing else."""
        ...


class MemoryVault:
    """In memory."""

    def __init__(self, places: Sequence[TopicPartition]) -> None:
        self.store = InMemoryStore()
        self._places = places

    async def content(self) -> Content:
        return await _content(self.store, self._places)

    async def restore(self, content: Content) -> None:
        self.store.restore(InMemoryStore())
        await _fill(self.store, content)


class RedisVault:
    """In a real server, under a group of its own."""

    def __init__(self, url: str, group: str, places: Sequence[TopicPartition]) -> None:
        self.store = RedisStore(RedisSettings(url=SecretStr(url)), group)
        self._redis: Any = Redis.from_url(url)
        self._group = group
        self._places = places

    async def content(self) -> Content:
        return await _content(self.store, self._places)

    async def restore(self, content: Content) -> None:
        keys = [key async for key in self._redis.scan_iter(f"tidecast:{self._group}:*")]
        if keys:
            await self._redis.delete(*keys)
        await _fill(self.store, content)

    async def aclose(self) -> None:
        """Leave nothing behind."""
        await self.restore({})
        await self.store.close()
        await self._redis.aclose()


async def _content(store: Store, places: Sequence[TopicPartition]) -> Content:
    found = {}
    for place in places:
        head = await store.head(place)
        if head is not None:
            rows = {key: row async for part in store.rows(place) for key, row in part.items()}
            found[place] = Kept(head, rows)
    return found


async def _fill(store: Store, content: Content) -> None:
    for place, kept in content.items():
        await store.swap(place, None, Write(kept.head, kept.rows))
