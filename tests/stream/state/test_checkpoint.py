"""The protocol: who may claim and save, and what a writer learns of writes whose reply was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from stream.state.checkpoint import Checkpoint, Head, Owner, Terms, TopicPartition, Write
from stream.testing import Fault, FaultyStore, InMemoryStore
from tests.stream.broken import UnfencedStore
from tests.stream.partitions import FIRST, PARTITIONS, PLACE, SECOND
from tidecast.errors import FencedError, LogMismatchError, RedisError, StoreLostError

TERMS = Terms("layout", "model", PARTITIONS)
LOST, UNREACHED = Fault.REPLY_LOST, Fault.UNREACHED


async def claim(
    store: InMemoryStore | FaultyStore,
    owner: Owner = FIRST,
    layout: str = "layout",
    model: str = "model",
    partitions: int = PARTITIONS,
) -> Checkpoint:
    return await Checkpoint.claim(store, PLACE, owner, Terms(layout, model, partitions))


async def stored(store: InMemoryStore) -> tuple[int | None, dict[str, bytes]]:
    """Cursor and rows as the next owner would find them."""
    head = await store.head(PLACE)
    rows = {key: row async for part in store.rows(PLACE) for key, row in part.items()}
    return (head.cursor if head else None), rows


async def test_a_first_claim_knows_no_cursor() -> None:
    checkpoint = await claim(InMemoryStore())
    assert checkpoint.cursor is None
    assert checkpoint.model == "model"


async def test_the_next_owner_finds_what_was_saved() -> None:
    store = InMemoryStore()
    await (await claim(store)).save({"a": b"1"}, 7, "model")
    checkpoint = await claim(store, SECOND, model="newer model")
    assert (checkpoint.cursor, checkpoint.model) == (7, "model")
    assert [part async for part in checkpoint.rows()] == [{"a": b"1"}]


@pytest.mark.parametrize(
    "other", [Owner(0, "worker-1", 9), Owner(1, "worker-2", 1), Owner(0, "z", 9)]
)
async def test_an_older_generation_or_an_earlier_started_member_cannot_claim(other: Owner) -> None:
    store = InMemoryStore()
    await claim(store, FIRST)
    with pytest.raises(FencedError, match="generation 1"):
        await claim(store, other)


@pytest.mark.parametrize(
    "again", [FIRST, SECOND, Owner(2, "worker-1"), Owner(9, "a"), Owner(1, "worker-3", 3)]
)
async def test_the_same_owner_a_newer_generation_or_a_later_started_member_can(
    again: Owner,
) -> None:
    store = InMemoryStore()
    await (await claim(store, FIRST)).save({}, 3, "model")
    assert (await claim(store, again)).cursor == 3


async def test_rows_of_another_layout_are_given_up() -> None:
    store = InMemoryStore()
    await (await claim(store)).save({"a": b"1"}, 7, "model")
    checkpoint = await claim(store, SECOND, layout="other", model="newer")
    assert (checkpoint.cursor, checkpoint.model) == (None, "newer")
    assert await stored(store) == (None, {})


async def test_rows_without_a_cursor_are_given_up() -> None:
    store = InMemoryStore()
    await (await claim(store)).save({"a": b"half a rebuild"}, None, "model")
    assert (await claim(store, SECOND)).cursor is None
    assert await stored(store) == (None, {})


async def test_another_number_of_partitions_stops_the_worker() -> None:
    store = InMemoryStore()
    await (await claim(store)).save({"a": b"1"}, 7, "model")
    with pytest.raises(LogMismatchError, match=r"had 4 partitions .* has 8 now"):
        await claim(store, SECOND, partitions=8)
    assert await stored(store) == (7, {"a": b"1"})


async def test_a_zombie_cannot_save_after_a_newer_claim() -> None:
    store = InMemoryStore()
    zombie = await claim(store, FIRST)
    await zombie.save({"a": b"1"}, 1, "model")
    owner = await claim(store, SECOND)
    await owner.save({"a": b"right"}, 5, "model")
    with pytest.raises(FencedError, match="generation 2"):
        await zombie.save({"a": b"wrong"}, 2, "model")
    assert await stored(store) == (5, {"a": b"right"})


async def test_without_the_comparison_a_zombie_would_do_harm() -> None:
    store = InMemoryStore()
    zombie = await Checkpoint.claim(UnfencedStore(store), PLACE, FIRST, TERMS)
    owner = await claim(store, SECOND)
    await owner.save({"a": b"right"}, 5, "model")
    await zombie.save({"a": b"wrong"}, 2, "model")
    assert await stored(store) == (2, {"a": b"wrong"})


@pytest.mark.parametrize("faults", [[LOST], [LOST, LOST, LOST], [UNREACHED, LOST, UNREACHED]])
async def test_a_repeated_save_recognises_its_own_write(faults: list[Fault]) -> None:
    inner = InMemoryStore()
    store = FaultyStore(inner)
    checkpoint = await claim(store)
    store.faults.extend(faults)
    for _ in faults:
        with pytest.raises(RedisError):
            await checkpoint.save({"a": b"1"}, 1, "model")
    await checkpoint.save({"a": b"1"}, 1, "model")
    assert checkpoint.cursor == 1
    assert await stored(inner) == (1, {"a": b"1"})


@pytest.mark.parametrize(
    "faults", [[LOST], [LOST, LOST], [LOST, UNREACHED, LOST], [UNREACHED, UNREACHED, LOST]]
)
async def test_later_saves_go_on_from_whichever_write_arrived(faults: list[Fault]) -> None:
    inner = InMemoryStore()
    store = FaultyStore(inner)
    checkpoint = await claim(store)
    store.faults.extend(faults)
    for cursor, _ in enumerate(faults, start=1):
        with pytest.raises(RedisError):
            await checkpoint.save({"a": b"%d" % cursor}, cursor, "model")
    await checkpoint.save({"a": b"last", "b": b"last"}, 9, "model")
    assert await stored(inner) == (9, {"a": b"last", "b": b"last"})


async def test_a_claim_survives_a_reply_that_its_store_repeats() -> None:
    store = InMemoryStore()
    checkpoint = await Checkpoint.claim(RepeatingStore(store), PLACE, FIRST, TERMS)
    await checkpoint.save({"a": b"1"}, 4, "model")
    assert await stored(store) == (4, {"a": b"1"})


async def test_a_flushed_store_is_noticed() -> None:
    store = InMemoryStore()
    checkpoint = await claim(store)
    await checkpoint.save({"a": b"1"}, 1, "model")
    store.restore(InMemoryStore())
    with pytest.raises(StoreLostError):
        await checkpoint.save({"a": b"2"}, 2, "model")
    assert await stored(store) == (None, {})


async def test_a_store_that_went_back_is_noticed() -> None:
    store = InMemoryStore()
    checkpoint = await claim(store)
    await checkpoint.save({"a": b"1"}, 1, "model")
    earlier = store.snapshot()
    await checkpoint.save({"a": b"2"}, 2, "model")
    store.restore(earlier)
    with pytest.raises(StoreLostError):
        await checkpoint.save({"a": b"3"}, 3, "model")
    assert await stored(store) == (1, {"a": b"1"})


async def test_a_store_that_went_back_during_a_rebuild_is_noticed() -> None:
    """Until the last part, the cursor says nothing: the number of writes does."""
    store = InMemoryStore()
    checkpoint = await claim(store)
    earlier = store.snapshot()
    await checkpoint.save({"a": b"1"}, None, "model")
    store.restore(earlier)
    with pytest.raises(StoreLostError):
        await checkpoint.save({}, 7, "model")


async def test_a_store_that_went_back_to_an_earlier_owner_is_noticed() -> None:
    store = InMemoryStore()
    await claim(store, FIRST)
    earlier = store.snapshot()
    checkpoint = await claim(store, SECOND)
    store.restore(earlier)
    with pytest.raises(StoreLostError):
        await checkpoint.save({}, 3, "model")


async def test_rows_that_a_newer_owner_changes_while_they_are_read_are_refused() -> None:
    store = InMemoryStore()
    await (await claim(store)).save({"a": b"1", "b": b"1"}, 1, "model")
    slow = await claim(store, FIRST)
    parts = slow.rows()
    await anext(parts)
    await (await claim(store, SECOND)).save({"b": b"2"}, 2, "model")
    assert await anext(parts) == {"b": b"2"}
    with pytest.raises(FencedError):
        await anext(parts)


async def test_rows_of_a_store_that_was_flushed_meanwhile_are_refused() -> None:
    store = InMemoryStore()
    checkpoint = await claim(store)
    await checkpoint.save({"a": b"1", "b": b"1"}, 1, "model")
    parts = checkpoint.rows()
    await anext(parts)
    store.restore(InMemoryStore())
    with pytest.raises(StoreLostError):
        await anext(parts)


class RepeatingStore:
    """A store behind a client that sends each write again when its first reply is lost."""

    def __init__(self, store: InMemoryStore) -> None:
        self.head = store.head
        self._store = store

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        await self._store.swap(partition, expected, write)
        return await self._store.swap(partition, expected, write)

    def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        return self._store.rows(partition)


def test_a_head_outranks_who_comes_before_it() -> None:
    head = Head(3, "b", 9, 0, "layout", "model", 4, 0, 0)
    assert head.outranks(Owner(2, "b"))
    assert head.outranks(Owner(3, "started earlier", 8))
    assert not head.outranks(Owner(3, "started later", 10))
    assert not head.outranks(Owner(3, "b"))
    assert not head.outranks(Owner(4, "a"))
    assert msgspec.json.decode(msgspec.json.encode(head), type=Head) == head
