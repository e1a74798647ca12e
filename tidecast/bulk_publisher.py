"""Publishing by the hundred thousand: ready-made messages in large batches, through aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError as ForeignError

from tidecast.blocks import Block
from tidecast.errors import KafkaError
from tidecast.kafka_clients import CONNECT_S, aiokafka_options, missing_topic
from tidecast.messages import OBSERVATION_SCHEMA, SCHEMA_HEADER
from tidecast.produce_request import join_once
from tidecast.record_batch import Records, encode_headers, record_batches
from tidecast.settings import Settings
from tidecast.topics import Topics

BATCH_BYTES: Final = 512 * 1024
"""Under Kafka's default limit of 1 MiB for one batch; one request is in flight per broker, so the
batch size decides the speed."""
REQUEST_S: Final = 30.0
METADATA_S: Final = 3.0
"""A topic not heard of within this time is not there."""
HEADERS: Final = encode_headers([(SCHEMA_HEADER, OBSERVATION_SCHEMA)])


class BulkPublisher:
    """Sends blocks of observations: idempotent, acknowledged by all replicas, in order.

    async with BulkPublisher(settings) as publisher:
        await publisher.send(blocks)

    Leaving the block waits for every delivery and raises when one failed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = Topics.of(settings.stream.name).events
        self._underway: set[asyncio.Future[Any]] = set()
        self._failure: BaseException | None = None
        self.delivered = 0
        """Observations that Kafka has acknowledged."""
        self.partitions = 0
        """How many partitions the topic has, once started."""

    async def start(self) -> None:
        """Connect. Raises KafkaError, or SettingsError when there is no such topic."""
        join_once()
        self._producer = AIOKafkaProducer(
            **aiokafka_options(self._settings.kafka),
            enable_idempotence=True,
            acks="all",
            max_request_size=BATCH_BYTES * 2,
            request_timeout_ms=int(REQUEST_S * 1000),
        )
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._producer.start()
            self.partitions = await self._count_partitions()
        except BaseException as error:
            await self._producer.stop()
            raise self._translated(error) from error

    async def send(self, blocks: Iterable[Block]) -> None:
        """Hand over at most one block a partition; returns when all are queued or on their way.

        Raises KafkaError when this or an earlier delivery failed.
        """
        try:
            await asyncio.gather(*(self._send(block) for block in blocks))
        except ForeignError as error:
            raise self._translated(error) from error
        self._raise_failure()

    async def flush(self) -> None:
        """Wait until all that was sent is acknowledged. Raises KafkaError when something is not."""
        while self._underway:
            await asyncio.wait(self._underway)
        self._raise_failure()

    async def stop(self) -> None:
        """Flush and disconnect; raises as `flush` does."""
        try:
            await self.flush()
        finally:
            await self._producer.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.stop()
        else:  # a stop would wait for what can no longer be helped
            await self._producer.stop()

    async def _count_partitions(self) -> int:
        try:
            async with asyncio.timeout(METADATA_S):
                return len(await self._producer.partitions_for(self._topic))
        except TimeoutError:
            raise missing_topic(self._topic) from None

    async def _send(self, block: Block) -> None:
        records = Records(block.keys, block.values, [HEADERS] * len(block.keys))
        for batch in record_batches(records, BATCH_BYTES):
            future = await self._producer.send_batch(batch, self._topic, partition=block.partition)
            self._underway.add(future)
            future.add_done_callback(partial(self._settle, batch.record_count()))

    def _settle(self, count: int, future: asyncio.Future[Any]) -> None:
        self._underway.discard(future)
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            self._failure = self._failure or error
        else:
            self.delivered += count

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._translated(self._failure) from self._failure

    def _translated(self, error: BaseException) -> BaseException:
        """Our error for a foreign one; any other as it is."""
        if not isinstance(error, ForeignError | TimeoutError | OSError):
            return error
        where = self._settings.kafka.bootstrap_servers
        return KafkaError(
            f"cannot publish to {self._topic} at {where} after {self.delivered} observations: "
            f"{error!r}; is it running? `tidecast check` looks closer"
        )
