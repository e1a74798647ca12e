"""The events topic read out of turn: where it begins and ends, and any stretch of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiokafka
from aiokafka.errors import KafkaError as KafkaLibraryError
from aiokafka.errors import OffsetOutOfRangeError

from stream.event_log import Bounds
from stream.kafka.admin import KafkaAdmin
from stream.kafka.inquirer import Inquirer
from stream.records import Record
from stream.state.checkpoint import TopicPartition
from tidecast.errors import KafkaError, LogMismatchError

READ_RECORDS: Final = 10_000
READ_TIMEOUT_MS: Final = 1000


class KafkaEventLog:
    """Reads beside the consumer group, without being a member of it."""

    def __init__(self, client: dict[str, Any], admin: KafkaAdmin) -> None:
        self._client = client
        self._admin = admin
        self._inquirer = Inquirer(
            lambda: aiokafka.AIOKafkaConsumer(**client), aiokafka.AIOKafkaConsumer.stop
        )

    async def partitions(self, topic: str) -> int:
        """See EventLog."""
        return await self._admin.partitions(topic)

    async def bounds(self, partition: TopicPartition) -> Bounds:
        """See EventLog. Raises KafkaError."""
        # Asked first: what is committed is then never beyond the end.
        committed = await self._admin.committed(partition)
        place = aiokafka.TopicPartition(*partition)

        async def ask(consumer: aiokafka.AIOKafkaConsumer) -> tuple[int, int]:
            start = await consumer.beginning_offsets([place])
            end = await consumer.end_offsets([place])
            return start[place], end[place]

        start, end = await self._inquirer.ask(f"read the bounds of {partition}", ask)
        return Bounds(start, end, committed)

    async def aclose(self) -> None:
        """Close the connection; another call would open it again."""
        await self._inquirer.aclose()

    async def read(
        self, partition: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        """See EventLog."""
        place = aiokafka.TopicPartition(*partition)
        position = start
        if start >= end:
            return
        try:
            async with aiokafka.AIOKafkaConsumer(
                **self._client, auto_offset_reset="none"
            ) as consumer:
                consumer.assign([place])
                consumer.seek(place, start)
                while position < end:
                    found = await consumer.getmany(
                        place, timeout_ms=READ_TIMEOUT_MS, max_records=READ_RECORDS
                    )
                    records = [r for r in found.get(place, ()) if r.offset < end]
                    if records:
                        yield records
                    # Control records and the log's own gaps move the position, not the list.
                    position = await consumer.position(place)
        except OffsetOutOfRangeError as error:
            raise LogMismatchError(f"{partition} no longer holds offset {position}") from error
        except KafkaLibraryError as error:
            raise KafkaError(f"cannot read {partition} from {position}: {error!r}") from error
