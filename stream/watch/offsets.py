"""How far Kafka says a partition goes: asked by a client that has no part in the work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import aiokafka

from stream.kafka.inquirer import Inquirer
from stream.state.checkpoint import TopicPartition
from stream.watch.health import Offsets


class KafkaOffsets:
    """Ends and commits, from a consumer that subscribes to nothing and joins nothing."""

    def __init__(self, client: dict[str, Any], group: str) -> None:
        # Asked again and again: a single try says soonest that Kafka is silent.
        self._inquirer = Inquirer(
            lambda: aiokafka.AIOKafkaConsumer(**client, group_id=group, enable_auto_commit=False),
            aiokafka.AIOKafkaConsumer.stop,
            tries=1,
        )

    async def of(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, Offsets]:
        """Ends and commits of the partitions. Raises KafkaError when Kafka does not answer."""
        asked = [aiokafka.TopicPartition(*place) for place in places]

        async def ask(consumer: aiokafka.AIOKafkaConsumer) -> dict[TopicPartition, Offsets]:
            # Asked first: what is committed is then never beyond the end.
            committed = [await consumer.committed(place) for place in asked]
            ends = await consumer.end_offsets(asked)
            return {
                TopicPartition(*place): Offsets(ends[place], commit)
                for place, commit in zip(asked, committed, strict=True)
            }

        return await self._inquirer.ask("read the group's offsets", ask)

    async def close(self) -> None:
        """Close the client."""
        await self._inquirer.aclose()
