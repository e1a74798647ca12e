"""A stream of its own for every run, with topics and state that go with it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from pydantic import SecretStr

from stream.app import group_of
from stream.state import checkpoint
from stream.state.redis_store import RedisStore
from tidecast.kafka_clients import kafka_python_options
from tidecast.local import LocalServers
from tidecast.settings import KafkaSettings, RedisSettings, Settings, StreamSettings
from tidecast.topic_admin import create_topics
from tidecast.topics import OUTPUT_BYTES, Topics

BROKER_TIME: Final = {
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(OUTPUT_BYTES),
}
"""Outputs are timed by the broker's clock, the same for every program under test."""


@contextlib.contextmanager
def fresh_stream(servers: LocalServers) -> Iterator[Settings]:
    """Settings of a new stream with its topics; these and its state go with the block."""
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers),
        redis=RedisSettings(url=SecretStr(servers.redis_url)),
        stream=StreamSettings(name=fresh_name()),
    )
    with stream_topics(settings):
        yield settings
        asyncio.run(_forget(settings))


def with_model(settings: Settings, bundle: Path) -> Settings:
    """The same stream, answered with another model."""
    worker = settings.worker.model_copy(update={"model": bundle})
    return settings.model_copy(update={"worker": worker})


async def _forget(settings: Settings) -> None:
    """Delete what the workers of the stream have saved: the memory is for the next run."""
    store = RedisStore(settings.redis, group_of(settings))
    for place in event_partitions(settings):
        await store.swap(place, await store.head(place), checkpoint.Write(None, fresh=True))
    await store.close()


def fresh_name() -> str:
    """A stream's name that no other run has."""
    return f"bench-{uuid.uuid4().hex[:8]}"


@contextlib.contextmanager
def stream_topics(settings: Settings) -> Iterator[None]:
    """The topics of a stream, which go with the block."""
    topics = Topics.of(settings.stream.name)
    with timed_topic(settings, topics.forecasts):
        # It leaves the forecasts topic as it is.
        create_topics(settings)
        yield
        with topic_admin(settings) as admin:
            admin.delete_topics([topics.events, topics.rejected])


@contextlib.contextmanager
def timed_topic(settings: Settings, topic: str) -> Iterator[str]:
    """An output topic on which the broker notes when it appended each message."""
    layout = {
        "num_partitions": settings.stream.partitions,
        "replication_factor": 1,
        "configs": BROKER_TIME,
    }
    with topic_admin(settings) as admin:
        admin.create_topics({topic: layout})
        admin.wait_for_topics([topic])
    yield topic
    with topic_admin(settings) as admin:
        admin.delete_topics([topic])


def event_partitions(settings: Settings) -> list[checkpoint.TopicPartition]:
    """The partitions of the stream's events, as checkpoints name them."""
    topic = Topics.of(settings.stream.name).events
    return [checkpoint.TopicPartition(topic, n) for n in range(settings.stream.partitions)]


class Ends:
    """The end offsets of a topic: how many messages it has had, without reading any."""

    def __init__(self, settings: Settings, topic: str) -> None:
        partitions = range(settings.stream.partitions)
        self._places = [TopicPartition(topic, number) for number in partitions]
        self._consumer = KafkaConsumer(**kafka_python_options(settings.kafka))

    def total(self) -> int:
        """Messages so far, all partitions together."""
        return sum(self.by_partition().values())

    def by_partition(self) -> dict[int, int]:
        """The end of each partition."""
        ends = self._consumer.end_offsets(self._places)
        return {place.partition: int(end) for place, end in ends.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()


def total(settings: Settings, topic: str) -> int:
    """How many messages a topic has had."""
    with Ends(settings, topic) as ends:
        return ends.total()


def topic_admin(settings: Settings) -> contextlib.closing[Any]:
    """An administrator's client for the length of a block."""
    return contextlib.closing(KafkaAdminClient(**kafka_python_options(settings.kafka)))
