"""An open-loop publisher that loses nothing: what Kafka has not acknowledged is sent again."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from bench.faults.points import Point
from bench.processes import BenchError
from tidecast.kafka_clients import aiokafka_options
from tidecast.messages import OBSERVATION_SCHEMA, SCHEMA_HEADER
from tidecast.settings import Settings
from tidecast.topics import Topics, partition_of

TICK_S: Final = 0.02
"""Events of one tick go together, as those of a busy gateway do."""
PATIENCE_MS: Final = 600_000
"""Longer than any outage: a batch that waits for a broker is not given up."""
BATCH_BYTES: Final = 512 * 1024
MOST_AT_ONCE: Final = 10_000
HEADERS: Final = [(SCHEMA_HEADER, OBSERVATION_SCHEMA)]


class Driver:
    """Publishes points in a thread of its own, each when it is due, whatever becomes of them.

    rate: events a second; None publishes everything at once, as a backlog.
    compression: gzip, lz4, snappy or zstd.
    """

    def __init__(
        self,
        settings: Settings,
        points: Sequence[Point],
        rate: float | None,
        compression: str | None = None,
    ) -> None:
        self._settings = settings
        self._topic = Topics.of(settings.stream.name).events
        self._points = points
        self._rate = rate
        self._compression = compression
        self._failure: BaseException | None = None
        self._places: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="driver", daemon=True)
        self.sent = 0
        """Points handed to the client so far."""
        self.held_at = len(points)
        """How many may be sent for now, even where more are due."""

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    @property
    def publishing(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def await_share(self, share: float) -> None:
        """Return when so large a share of the points was sent. Raises BenchError on a failure."""
        while self.sent < share * len(self._points) and self._thread.is_alive():
            time.sleep(TICK_S)
        self._raise_failure()

    def join(self) -> None:
        """Return when everything is acknowledged. Raises BenchError when something cannot be."""
        self._thread.join(PATIENCE_MS / 1000)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise BenchError(f"the driver failed: {self._failure!r}") from self._failure

    def _run(self) -> None:
        # A broker that is away is no news here, and aiokafka says so thousands of times a second.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        try:
            asyncio.run(self._publish())
        except BaseException as error:
            self._failure = error

    async def _publish(self) -> None:
        producer = AIOKafkaProducer(
            **aiokafka_options(self._settings.kafka),
            enable_idempotence=True,
            acks="all",
            compression_type=self._compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=BATCH_BYTES * 2,
            request_timeout_ms=PATIENCE_MS,
        )
        await producer.start()
        try:
            await asyncio.gather(*await self._send_all(producer))
        finally:
            await producer.stop()

    async def _send_all(self, producer: Any) -> list[Any]:  # noqa: ANN401 - aiokafka has no types
        deliveries: list[Any] = []
        begun = time.monotonic()
        while self.sent < len(self._points):
            due = len(self._points)
            if self._rate is not None:
                due = min(due, self.held_at, int((time.monotonic() - begun) * self._rate))
            if due <= self.sent:
                await asyncio.sleep(TICK_S)
                continue
            due = min(due, self.sent + MOST_AT_ONCE)
            deliveries = [one for one in deliveries if not one.done() or one.exception()]
            deliveries += await self._send(producer, self._points[self.sent : due])
            self.sent = due
        return deliveries

    async def _send(self, producer: Any, part: Sequence[Point]) -> list[Any]:  # noqa: ANN401
        deliveries = []
        by_partition = defaultdict(list)
        for point in part:
            by_partition[self._place(point.series_id)].append(point)
        for partition, chosen in by_partition.items():
            deliveries += [
                await producer.send_batch(batch, self._topic, partition=partition)
                for batch in _batches(producer, chosen)
            ]
        return deliveries

    def _place(self, series_id: str) -> int:
        place = self._places.get(series_id)
        if place is None:
            place = self._places[series_id] = partition_of(
                series_id, self._settings.stream.partitions
            )
        return place


def _batches(producer: Any, points: Sequence[Point]) -> Iterator[Any]:  # noqa: ANN401
    """The points in as few batches as their size allows."""
    batch = producer.create_batch()
    for point in points:
        message = {"key": point.series_id.encode(), "value": point.encode(), "headers": HEADERS}
        if batch.append(timestamp=None, **message) is None:
            yield batch
            batch = producer.create_batch()
            # The first of a batch is always taken, however large.
            batch.append(timestamp=None, **message)
    yield batch
