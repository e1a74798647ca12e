"""What every `checkpoint.Store` does: the one in memory, and the one in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import msgspec
import pytest
from pydantic import SecretStr

from stream.state.checkpoint import Head, InspectableStore, Store, TopicPartition, Write
from stream.state.redis_store import RedisStore
from stream.testing import InMemoryStore
from tidecast.errors import RedisError
from tidecast.local import LocalServers
from tidecast.settings import RedisSettings

OpenStore = Callable[[str], AbstractAsyncContextManager[InspectableStore]]
"""Opens the store of a consumer group."""

PLACE: Final = TopicPartition("events", 0)
HEAD: Final = Head(1, "worker-1", 99, 0, "layout", "model", 4, 0, 0)


def later(head: Head, cursor: int | None) -> Head:
    return msgspec.structs.replace(head, cursor=cursor)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.servers)])
def open_store(request: pytest.FixtureRequest, stream_name: str) -> OpenStore:
    if request.param == "memory":
        stores: dict[str, InMemoryStore] = {}

        @asynccontextmanager
        async def in_memory(group: str) -> AsyncIterator[InspectableStore]:
            yield stores.setdefault(group, InMemoryStore())

        return in_memory
    servers: LocalServers = request.getfixturevalue("servers")

    @asynccontextmanager
    async def in_redis(group: str) -> AsyncIterator[InspectableStore]:
        settings = RedisSettings(url=SecretStr(servers.redis_url))
        store = RedisStore(settings, f"{stream_name}-{group}")
        yield store
        await store.close()

    return in_redis


async def all_rows(store: Store, place: TopicPartition = PLACE) -> dict[str, bytes]:
    return {key: row async for part in store.rows(place) for key, row in part.items()}


async def test_an_unknown_partition_has_neither_head_nor_rows(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        assert await store.head(PLACE) is None
        assert await all_rows(store) == {}


async def test_the_first_head_is_written_where_none_was(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        assert await store.swap(PLACE, None, Write(HEAD, {"a": b"1"}))
        assert await store.head(PLACE) == HEAD
        assert await all_rows(store) == {"a": b"1"}
        assert not await store.swap(PLACE, None, Write(later(HEAD, 5), {"a": b"2"}))


@pytest.mark.parametrize(
    "other",
    [
        later(HEAD, 1),
        later(HEAD, None),
        msgspec.structs.replace(HEAD, generation=2),
        msgspec.structs.replace(HEAD, member="worker-2"),
        msgspec.structs.replace(HEAD, layout="other"),
        msgspec.structs.replace(HEAD, model="other"),
        msgspec.structs.replace(HEAD, partitions=5),
        msgspec.structs.replace(HEAD, started_ns=98),
        msgspec.structs.replace(HEAD, epoch=1),
        msgspec.structs.replace(HEAD, writes=1),
    ],
)
async def test_a_head_that_differs_in_anything_is_not_swapped(
    open_store: OpenStore, other: Head
) -> None:
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1"}))
        assert not await store.swap(PLACE, other, Write(later(HEAD, 9), {"a": b"2"}, fresh=True))
        assert await store.head(PLACE) == HEAD
        assert await all_rows(store) == {"a": b"1"}


async def test_a_swap_adds_and_replaces_rows(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1", "b": b"1"}))
        assert await store.swap(PLACE, HEAD, Write(later(HEAD, 7), {"b": b"2", "c": b"2"}))
        assert await store.head(PLACE) == later(HEAD, 7)
        assert await all_rows(store) == {"a": b"1", "b": b"2", "c": b"2"}


async def test_a_swap_may_write_the_head_that_is_there(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD))
        assert await store.swap(PLACE, HEAD, Write(HEAD, {"a": b"1"}))
        assert await all_rows(store) == {"a": b"1"}


async def test_a_swap_drops_rows(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        many = {f"series-{n}": b"1" for n in range(4500)}
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1", **many}))
        write = Write(later(HEAD, 7), {"b": b"2"}, dropped=[*many, "never there"])
        assert await store.swap(PLACE, HEAD, write)
        assert await all_rows(store) == {"a": b"1", "b": b"2"}


async def test_a_fresh_swap_drops_the_older_rows(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1", "b": b"1"}))
        assert await store.swap(PLACE, HEAD, Write(later(HEAD, 7), {"b": b"2"}, fresh=True))
        assert await all_rows(store) == {"b": b"2"}


async def test_of_two_swaps_at_once_one_is_done(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD))
        swaps = (
            store.swap(PLACE, HEAD, Write(later(HEAD, n), {"a": b"%d" % n})) for n in (1, 2, 3)
        )
        done = await asyncio.gather(*swaps)
        assert sum(done) == 1
        winner = 1 + done.index(True)
        assert await store.head(PLACE) == later(HEAD, winner)
        assert await all_rows(store) == {"a": b"%d" % winner}


async def test_many_rows_are_all_read_whatever_their_bytes_and_ids(open_store: OpenStore) -> None:
    rows = {f"série {n}/\n\0🌊": bytes([n % 256]) * (n % 50) for n in range(4500)}
    async with open_store("group") as store:
        assert await store.swap(PLACE, None, Write(HEAD, rows))
        assert await all_rows(store) == rows


async def test_partitions_do_not_meet(open_store: OpenStore) -> None:
    others = [TopicPartition("events", 1), TopicPartition("other", 0)]
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1"}))
        for other in others:
            assert await store.head(other) is None
            assert await store.swap(other, None, Write(later(HEAD, 3), {"b": b"2"}, fresh=True))
            assert await all_rows(store, other) == {"b": b"2"}
        assert await store.head(PLACE) == HEAD
        assert await all_rows(store) == {"a": b"1"}


async def test_groups_do_not_meet(open_store: OpenStore) -> None:
    async with open_store("group") as store, open_store("other") as other:
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1"}))
        assert await other.head(PLACE) is None
        assert await all_rows(other) == {}
    async with open_store("group") as again:
        assert await again.head(PLACE) == HEAD
        assert await all_rows(again) == {"a": b"1"}


@pytest.mark.parametrize("url", ["redis://localhost:1/0", "http://localhost", "nonsense"])
async def test_an_unusable_redis_says_so_in_one_line(url: str) -> None:
    with pytest.raises(RedisError, match=r"redis\.url") as caught:
        await RedisStore(RedisSettings(url=SecretStr(url)), "group").ping()
    assert "\n" not in str(caught.value)


async def test_a_write_without_a_head_leaves_nothing(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        await store.swap(PLACE, None, Write(HEAD, {"a": b"1"}))
        assert not await store.swap(PLACE, later(HEAD, 9), Write(None, fresh=True))
        assert await store.swap(PLACE, HEAD, Write(None, fresh=True))
        assert await store.head(PLACE) is None
        assert await all_rows(store) == {}
        assert await store.swap(PLACE, None, Write(None, fresh=True))


async def test_rows_are_counted_and_found_without_reading_all(open_store: OpenStore) -> None:
    async with open_store("group") as store:
        assert await store.size(PLACE) == (0, 0)
        assert await store.find(PLACE, ["a"]) == {}
        many = {f"série-{n}": b"%d" % n for n in range(4500)}
        await store.swap(PLACE, None, Write(HEAD, many))
        size = await store.size(PLACE)
        assert size.rows == 4500
        assert size.bytes >= sum(map(len, many.values()))
        assert await store.find(PLACE, []) == {}
        assert await store.find(PLACE, [*many, "never there"]) == many
