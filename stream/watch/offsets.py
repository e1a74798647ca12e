"""How far Kafka says a partition goes: asked by a client that has no part in the work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import aiokafka
from aiokafka.errors import KafkaError as KafkaLibraryError

from stream.state.checkpoint import TopicPartition
from stream.watch.health import Offsets
from tidecast.errors import KafkaError

ANSWER_S: Final = 5.0
"""How long an answer is waited for; the library itself would ask on for ever."""


class KafkaOffsets:
    """Ends and commits, from a consumer that subscribes to nothing and joins nothing."""

    def __init__(self, client: dict[str, Any], group: str) -> None:
        self._client = client
        self._group = group
        self._consumer: aiokafka.AIOKafkaConsumer | None = None

    async def of(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, Offsets]:
        """Ends and commits of the partitions. Raises KafkaError when Kafka does not answer."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._of([aiokafka.TopicPartition(*place) for place in places])
        except (KafkaLibraryError, TimeoutError) as error:
            raise KafkaError(f"cannot read the group's offsets: {error!r}") from error

    async def close(self) -> None:
        """Close the client."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _of(self, places: list[Any]) -> dict[TopicPartition, Offsets]:
        consumer = await self._started()
        # Asked first: what is committed is then never beyond the end.
        committed = [await consumer.committed(place) for place in places]
        ends = await consumer.end_offsets(places)
        return {
            TopicPartition(*place): Offsets(ends[place], commit)
            for place, commit in zip(places, committed, strict=True)
        }

    async def _started(self) -> aiokafka.AIOKafkaConsumer:
        if self._consumer is None:
            consumer = aiokafka.AIOKafkaConsumer(
                **self._client, group_id=self._group, enable_auto_commit=False
            )
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer
