"""The events topic read out of turn: where it begins and ends, and any stretch of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError as KafkaLibraryError
from aiokafka.errors import OffsetOutOfRangeError

from stream.checkpoint import TopicPartition
from stream.event_log import Bounds
from stream.records import Record
from tidecast.errors import KafkaError, LogMismatchError

READ_RECORDS: Final = 10_000
READ_TIMEOUT_MS: Final = 1000
TRIES: Final = 20
RETRY_S: Final = 0.5


class KafkaEventLog:
    """Reads beside the consumer group, without being a member of it."""

    def __init__(self, client: dict[str, Any], group: str) -> None:
        self._client = client
        self._group = group

    async def bounds(self, partition: TopicPartition) -> Bounds:
        """See EventLog. A group's coordinator that is still starting is waited for."""
        tries_left = TRIES
        while True:
            try:
                return await self._bounds(aiokafka.TopicPartition(*partition))
            except KafkaLibraryError as error:
                tries_left -= 1
                if not error.retriable or not tries_left:
                    doing = f"read the bounds of {partition}"
                    raise KafkaError(f"cannot {doing}: {error!r}") from error
            await asyncio.sleep(RETRY_S)

    async def _bounds(self, place: aiokafka.TopicPartition) -> Bounds:
        # Asked first: what is committed is then never beyond the end.
        committed = await self._committed(place)
        async with aiokafka.AIOKafkaConsumer(**self._client) as consumer:
            start = await consumer.beginning_offsets([place])
            end = await consumer.end_offsets([place])
        return Bounds(start[place], end[place], committed if committed >= 0 else None)

    async def _committed(self, place: aiokafka.TopicPartition) -> int:
        """The group's committed offset; -1 where it has none."""
        admin = AIOKafkaAdminClient(**self._client)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self._group, partitions=[place])
        finally:
            await admin.close()
        return int(offsets[place].offset)

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
