"""One partition without servers: what it is given, and what it has sent and stored."""

from __future__ import annotations

import asyncio

from stream.records import LoggedRecord
from stream.testing import InMemoryOutput, InMemoryStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import PLACE, engine_of, partition_of
from tidecast.messages import decode_forecast

ENGINE = engine_of(step_seconds=60)
RECORDS = records_of([Event("abc"[n % 3], n, float(n)) for n in range(30)])


def offsets(output: InMemoryOutput) -> list[int]:
    return [decode_forecast(message.value).source.offset for _, message in output.messages]


async def cursor_in(store: InMemoryStore) -> int | None:
    head = await store.head(PLACE)
    return head.cursor if head else None


async def rows_in(store: InMemoryStore) -> dict[str, bytes]:
    return {key: row async for part in store.rows(PLACE) for key, row in part.items()}


async def rows_after(records: list[LoggedRecord]) -> dict[str, bytes]:
    """What the store holds after an undisturbed run."""
    store = InMemoryStore()
    partition = await partition_of(InMemoryOutput(), store, engine=ENGINE)
    await partition.handle(records)
    await partition.save()
    return await rows_in(store)


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)
