"""Forecasts and rejections on their way to Kafka: whole batches, idempotent, acks=all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError as KafkaLibraryError

from stream.encoder import Messages
from stream.output import Delivery
from tidecast.errors import KafkaError
from tidecast.messages import (
    FORECAST_AVRO_SCHEMA,
    FORECAST_SCHEMA,
    SCHEMA_HEADER,
    Rejection,
    rejection_headers,
)
from tidecast.produce_request import join_once
from tidecast.record_batch import Records, encode_headers, record_batches
from tidecast.topics import OUTPUT_BYTES, Topics

REQUEST_TIMEOUT_MS: Final = 30_000

BATCH_BYTES: Final = OUTPUT_BYTES // 2

FORECAST_HEADERS: Final = {
    schema: encode_headers([(SCHEMA_HEADER, schema)])
    for schema in (FORECAST_SCHEMA, FORECAST_AVRO_SCHEMA)
}


def forecast_records(messages: Messages) -> Records:
    """Forecasts, each with the header that names its encoding."""
    headers = [FORECAST_HEADERS[messages.schema]] * len(messages.keys)
    return Records(messages.keys, messages.values, headers)


class KafkaOutput:
    """The worker's own producer: batches are built here, not message by message in a client."""

    def __init__(self, client: dict[str, Any], topics: Topics) -> None:
        join_once()
        self._topics = topics
        self._producer = AIOKafkaProducer(
            **client,
            acks="all",
            enable_idempotence=True,
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

    async def forecasts(self, partition: int, messages: Messages) -> list[Delivery]:
        """See Output."""
        return await self._send(self._topics.forecasts, partition, forecast_records(messages))

    async def rejections(self, partition: int, rejections: Sequence[Rejection]) -> list[Delivery]:
        """See Output."""
        records = Records(
            [one.key for one in rejections],
            [one.value for one in rejections],
            [encode_headers(rejection_headers(one)) for one in rejections],
        )
        return await self._send(self._topics.rejected, partition, records)

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """See Output."""
        try:
            await asyncio.gather(*deliveries)
        except KafkaLibraryError as error:
            raise KafkaError(f"Kafka did not store a message: {error!r}") from error

    async def _send(self, topic: str, partition: int, records: Records) -> list[Delivery]:
        """Send in as few batches as the size allows."""
        try:
            return [
                await self._producer.send_batch(batch, topic, partition=partition)
                for batch in record_batches(records, BATCH_BYTES)
            ]
        except KafkaLibraryError as error:
            raise KafkaError(f"cannot write to {topic}: {error!r}") from error
