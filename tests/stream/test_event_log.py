"""What every `EventLog` does: the one in memory, and the one in Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple

import aiokafka
import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from stream.event_log import Bounds, EventLog
from stream.kafka.admin import KafkaAdmin
from stream.kafka.log import KafkaEventLog
from stream.records import LoggedRecord
from stream.state.checkpoint import TopicPartition
from stream.testing import InMemoryLog
from tests.stream.events import Event, records_of
from tidecast.kafka_clients import aiokafka_options
from tidecast.local import LocalServers
from tidecast.settings import KafkaSettings

WRITTEN_MS: Final = 1_750_000_000_000
"""A broker takes no record from the future."""

RECORDS: Final = [
    record._replace(timestamp=WRITTEN_MS)
    for record in records_of([Event("a", n, float(n)) for n in range(10)])
]


class Opened(NamedTuple):
    """A log, and how to write to it, commit for its group, and let go of it."""

    log: EventLog
    place: TopicPartition
    append: Callable[[Sequence[LoggedRecord]], Awaitable[None]]
    commit: Callable[[int], Awaitable[None]]
    aclose: Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.servers)])
def opened(request: pytest.FixtureRequest, stream_name: str) -> Opened:
    place = TopicPartition(stream_name, 1)
    if request.param == "memory":
        return in_memory(place)
    servers: LocalServers = request.getfixturevalue("servers")
    with KafkaAdminClient(bootstrap_servers=servers.bootstrap_servers) as admin:
        admin.create_topics([NewTopic(stream_name, 2, 1, topic_configs={"retention.ms": "-1"})])
    settings = KafkaSettings(bootstrap_servers=servers.bootstrap_servers)
    # Another group's commit is not ours. It also makes the topic that keeps all commits: until
    # then a new broker cannot say what a group has committed.
    asyncio.run(commit_in_kafka(settings, "another group", place, 0))
    return in_kafka(place, settings)


def in_memory(place: TopicPartition) -> Opened:
    log = InMemoryLog()

    async def append(records: Sequence[LoggedRecord]) -> None:
        log.append(place, records)

    async def commit(offset: int) -> None:
        log.commit(place, offset)

    async def aclose() -> None:
        pass

    return Opened(log, place, append, commit, aclose)


def in_kafka(place: TopicPartition, settings: KafkaSettings) -> Opened:
    client = aiokafka_options(settings)

    async def append(records: Sequence[LoggedRecord]) -> None:
        async with aiokafka.AIOKafkaProducer(**client) as producer:
            for _, time_ms, key, value in records:
                await producer.send_and_wait(
                    place.topic, value, key, partition=place.partition, timestamp_ms=time_ms
                )

    async def commit(offset: int) -> None:
        await commit_in_kafka(settings, place.topic, place, offset)

    admin = KafkaAdmin(client, place.topic)
    log = KafkaEventLog(client, admin)

    async def aclose() -> None:
        await log.aclose()
        await admin.aclose()

    return Opened(log, place, append, commit, aclose)


async def commit_in_kafka(
    settings: KafkaSettings, group: str, place: TopicPartition, offset: int
) -> None:
    await KafkaAdmin(aiokafka_options(settings), group).commit({place: offset})


async def read(opened: Opened, start: int, end: int) -> list[LoggedRecord]:
    return [
        LoggedRecord(one.offset, one.timestamp, one.key, one.value)
        async for part in opened.log.read(opened.place, start, end)
        for one in part
    ]


async def test_the_bounds_tell_start_end_and_commit(opened: Opened) -> None:
    async with aclosing(opened):
        assert await opened.log.bounds(opened.place) == Bounds(0, 0, None)
        await opened.append(RECORDS)
        assert await opened.log.bounds(opened.place) == Bounds(0, 10, None)
        await opened.commit(4)
        assert await opened.log.bounds(opened.place) == Bounds(0, 10, 4)


async def test_any_stretch_is_read_in_order(opened: Opened) -> None:
    async with aclosing(opened):
        tombstone = LoggedRecord(10, WRITTEN_MS, b"a", None)
        await opened.append([*RECORDS, tombstone])
        for start, end in [(0, 11), (3, 4), (9, 11), (5, 5), (7, 3), (11, 11)]:
            assert await read(opened, start, end) == [*RECORDS, tombstone][start:end]
