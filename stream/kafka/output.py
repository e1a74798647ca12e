"""Forecasts and rejections on their way to Kafka: whole batches, idempotent, acks=all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError as KafkaLibraryError
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.encoder import Message
from stream.output import Delivery
from tidecast.errors import KafkaError
from tidecast.messages import FORECAST_SCHEMA, SCHEMA_HEADER, Rejection, rejection_headers
from tidecast.topics import OUTPUT_BYTES, Topics

REQUEST_TIMEOUT_MS: Final = 30_000

KeyValueHeaders = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


class KafkaOutput:
    """The worker's own producer: batches are built here, not message by message in a client."""

    def __init__(self, client: dict[str, Any], topics: Topics) -> None:
        self._topics = topics
        self._producer = AIOKafkaProducer(
            **client,
            acks="all",
            enable_idempotence=True,
            max_batch_size=OUTPUT_BYTES // 2,
            max_request_size=OUTPUT_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )

    async def start(self) -> None:
        """Raises KafkaError when the broker does not answer."""
        try:
            await self._producer.start()
        except KafkaLibraryError as error:
            raise KafkaError(f"cannot start the producer: {error!r}") from error

    async def stop(self) -> None:
        """Send what is waiting, and close."""
        await self._producer.stop()

    async def forecasts(self, partition: int, messages: Iterable[Message]) -> list[Delivery]:
        """See Output."""
        headers = [(SCHEMA_HEADER, FORECAST_SCHEMA)]
        records = ((key, value, headers) for key, value in messages)
        return await self._send(self._topics.forecasts, partition, records)

    async def rejections(self, partition: int, rejections: Iterable[Rejection]) -> list[Delivery]:
        """See Output."""
        records = ((one.key, one.value, rejection_headers(one)) for one in rejections)
        return await self._send(self._topics.rejected, partition, records)

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """See Output."""
        try:
            await asyncio.gather(*deliveries)
        except KafkaLibraryError as error:
            raise KafkaError(f"Kafka did not store a message: {error!r}") from error

    async def _send(
        self, topic: str, partition: int, records: Iterable[KeyValueHeaders]
    ) -> list[Delivery]:
        """Send in as few batches as the size allows."""
        deliveries = []
        batch = self._producer.create_batch()
        for key, value, headers in records:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                deliveries.append(await self._send_batch(topic, partition, batch))
                batch = self._producer.create_batch()
                # The first of a batch is always taken, however large.
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        if batch.record_count():
            deliveries.append(await self._send_batch(topic, partition, batch))
        return deliveries

    async def _send_batch(self, topic: str, partition: int, batch: BatchBuilder) -> Delivery:
        batch.close()
        try:
            delivery: Delivery = await self._producer.send_batch(batch, topic, partition=partition)
        except KafkaLibraryError as error:
            raise KafkaError(f"cannot write to {topic}: {error!r}") from error
        return delivery
