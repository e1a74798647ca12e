"""What a run left behind, read when it is over: so that nothing is counted while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import msgspec
import numpy as np
from redis import Redis

from bench.streams import event_partitions
from stream.app import group_of
from stream.grid import IntArray
from stream.kafka.admin import KafkaAdmin
from stream.kafka.log import KafkaEventLog
from stream.records import Record
from stream.state.checkpoint import TopicPartition
from stream.state.redis_store import RedisStore
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import Settings
from tidecast.topics import Topics


class Identified(msgspec.Struct, frozen=True):
    """A forecast as far as counting goes: the decoder skips the rest."""

    forecast_id: str


class Saved(NamedTuple):
    """What Redis holds of a stream: how many events are in its windows, and how many windows."""

    events: int
    windows: int


async def append_times(settings: Settings, topic: str) -> IntArray:
    """When the broker appended each message of a `timed_topic`, in order: ms since 1970 [N]."""
    times = [record.timestamp async for part in _parts(settings, topic) for record in part]
    return np.sort(np.array(times, np.int64))


async def distinct_forecasts(settings: Settings) -> int:
    """How many different forecast ids there are on the forecasts topic."""
    decode = msgspec.json.Decoder(Identified).decode
    ids: set[str] = set()
    async for part in _parts(settings, Topics.of(settings.stream.name).forecasts):
        ids.update(decode(record.value or b"").forecast_id for record in part)
    return len(ids)


async def saved(settings: Settings) -> Saved:
    """What the workers of the stream have saved by now."""
    store = RedisStore(settings.redis, group_of(settings))
    events = windows = 0
    for place in event_partitions(settings):
        head = await store.head(place)
        # Topics of a bench begin at offset 0, so the cursor is a count.
        events += (head.cursor or 0) if head else 0
        windows += (await store.size(place)).rows
    await store.close()
    return Saved(events, windows)


def redis_bytes(settings: Settings) -> int:
    """The memory that Redis uses for all that it holds."""
    with Redis.from_url(settings.redis.url.get_secret_value()) as redis:
        memory: Any = redis.info("memory")
    return int(memory["used_memory"])


async def partition_records(settings: Settings, topic: str, partition: int) -> list[Record]:
    """Every message of a partition, in order."""
    parts = _parts(settings, topic, partition)
    return [record async for part in parts for record in part]


async def _parts(
    settings: Settings, topic: str, *partitions: int
) -> AsyncIterator[Sequence[Record]]:
    """Every message of the given partitions of a topic, of all when none is given."""
    client = aiokafka_options(settings.kafka)
    async with (
        aclosing(KafkaAdmin(client, group_of(settings))) as admin,
        aclosing(KafkaEventLog(client, admin)) as log,
    ):
        for number in partitions or range(settings.stream.partitions):
            place = TopicPartition(topic, number)
            bounds = await log.bounds(place)
            async for part in log.read(place, bounds.start, bounds.end):
                yield part
