"""A group seen and changed from outside."""

from __future__ import annotations

from contextlib import aclosing

import aiokafka
import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from stream.kafka.admin import KafkaAdmin
from stream.state.checkpoint import TopicPartition
from tidecast.errors import GroupInUseError
from tidecast.kafka_clients import aiokafka_options
from tidecast.local import LocalServers
from tidecast.settings import KafkaSettings


async def test_commits_are_set_from_outside_only_while_the_group_is_empty(
    servers: LocalServers, stream_name: str
) -> None:
    with KafkaAdminClient(bootstrap_servers=servers.bootstrap_servers) as kafka_admin:
        kafka_admin.create_topics([NewTopic(stream_name, 2, 1)])
    client = aiokafka_options(KafkaSettings(bootstrap_servers=servers.bootstrap_servers))
    place, other = TopicPartition(stream_name, 0), TopicPartition(stream_name, 1)
    member = aiokafka.AIOKafkaConsumer(
        stream_name, **client, group_id=stream_name, enable_auto_commit=False
    )
    async with aclosing(KafkaAdmin(client, stream_name)) as group:
        assert await group.forgotten()
        assert await group.members() == []
        await group.commit({place: 7, other: 3})
        assert (await group.committed(place), await group.committed(other)) == (7, 3)
        assert not await group.forgotten()
        async with member:
            assert len(await group.members()) == 1
            with pytest.raises(GroupInUseError, match="stop the workers"):
                await group.commit({place: 9})
        assert await group.members() == []
        assert await group.committed(place) == 7
        await group.commit({place: 2})
        assert await group.committed(place) == 2
