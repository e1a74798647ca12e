"""Ends and commits as Kafka tells them, also to a client that has lived through its outages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from stream.kafka.inquirer import ANSWER_S
from stream.state.checkpoint import TopicPartition
from stream.watch.health import Offsets
from stream.watch.offsets import KafkaOffsets
from tests.stream.test_event_log import commit_in_kafka
from tidecast.errors import KafkaError
from tidecast.kafka_clients import aiokafka_options
from tidecast.local import LocalServers, local_servers
from tidecast.settings import KafkaSettings

BACK_S: Final = 60.0
"""Longest wait for answers once the broker is back."""


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """Servers of one's own: Kafka is paused and killed here."""
    with local_servers(tmp_path_factory.mktemp("offsets")) as running:
        yield running


async def silent(offsets: KafkaOffsets, place: TopicPartition) -> None:
    began = time.monotonic()
    with pytest.raises(KafkaError, match="cannot read the group's offsets"):
        await offsets.of([place])
    assert time.monotonic() - began < 2 * ANSWER_S


async def again(ask: Callable[[], Awaitable[dict[TopicPartition, Offsets]]]) -> object:
    """The first answer after an outage."""
    async with asyncio.timeout(BACK_S):
        while True:
            try:
                return await ask()
            except KafkaError:
                await asyncio.sleep(0)


@pytest.mark.servers
async def test_ends_and_commits_through_outages(
    own_servers: LocalServers, stream_name: str
) -> None:
    settings = KafkaSettings(bootstrap_servers=own_servers.bootstrap_servers)
    with KafkaAdminClient(bootstrap_servers=own_servers.bootstrap_servers) as admin:
        admin.create_topics([NewTopic(stream_name, 2, 1)])
    first, second = TopicPartition(stream_name, 0), TopicPartition(stream_name, 1)
    await commit_in_kafka(settings, stream_name, second, 0)
    offsets = KafkaOffsets(aiokafka_options(settings), stream_name)
    assert await offsets.of([]) == {}
    assert await offsets.of([first, second]) == {first: Offsets(0, None), second: Offsets(0, 0)}

    own_servers.kafka.pause()
    await silent(offsets, second)
    own_servers.kafka.resume()
    assert await again(lambda: offsets.of([second])) == {second: Offsets(0, 0)}

    own_servers.kafka.kill()
    await silent(offsets, second)
    own_servers.kafka.start()
    assert await again(lambda: offsets.of([second])) == {second: Offsets(0, 0)}
    await offsets.close()


async def test_nobody_there_is_a_silent_kafka_too() -> None:
    offsets = KafkaOffsets({"bootstrap_servers": "127.0.0.1:1"}, "nobody")
    await silent(offsets, TopicPartition("nothing", 0))
    await offsets.close()
