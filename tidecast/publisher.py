"""Publishing observations one by one. Files and back-fills go through `bulk_publisher`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from math import inf
from threading import Lock
from types import TracebackType
from typing import Any, Final, Literal, Self

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError as ForeignError
from kafka.errors import KafkaTimeoutError

from tidecast.errors import KafkaError, MessageError, Reason
from tidecast.kafka_clients import kafka_errors, kafka_python_options, missing_topic
from tidecast.messages import (
    OBSERVATION_SCHEMA,
    RECORD_BYTES,
    SCHEMA_HEADER,
    VALUE_CHANNEL,
    Observation,
    Timestamp,
    encode_observation,
)
from tidecast.observation_checks import checked
from tidecast.settings import Settings, load_settings
from tidecast.topics import Topics, partition_of

LINGER_MS: Final = 5
"""An observation in company waits this long for more. With fewer requests a busy machine answers
sooner: with 3 ms a publisher of 5,000 events/s that shares two cores with worker and servers falls
behind (`scripts/bench latency --rate 5000`)."""
ALONE_S: Final = 0.002
"""One that comes so long after the one before it is by itself, and does not wait."""
DELIVERY_S: Final = 30.0
"""Kafka is tried this long for each observation before it counts as not delivered."""
BLOCK_S: Final = 5.0
"""How long one call may block for metadata, or for room in the buffer."""

HEADERS: Final = [(SCHEMA_HEADER, OBSERVATION_SCHEMA)]


class Place(msgspec.Struct, frozen=True):
    """Where Kafka keeps an observation; its forecast names this as its `source`."""

    partition: int
    offset: int


class Receipt:
    """The promise of a delivery."""

    def __init__(self, future: Any, settings: Settings) -> None:  # noqa: ANN401
        self._future = future
        self._settings = settings

    @property
    def done(self) -> bool:
        """Whether Kafka has answered, for good or ill."""
        return bool(self._future.is_done)

    def wait(self, timeout_s: float = DELIVERY_S) -> Place:
        """Wait for Kafka's word. Raises KafkaError when it failed or did not come in time."""
        with kafka_errors(self._settings.kafka, "publish"):
            record = self._future.get(timeout_s)
        return Place(record.partition, record.offset)


class Publisher:
    """Sends observations to the stream: idempotent, acknowledged by all replicas, in order.

        with Publisher() as publisher:
            publisher.publish("plant-7/load", value=41.2, timestamp=datetime.now(UTC))

    Thread-safe. Leaving the block waits for every delivery and raises when one failed.
    """

    def __init__(
        self, settings: Settings | None = None, *, compression: Literal["lz4"] | None = None
    ) -> None:
        """Connect. Settings as `load_settings()` finds them when not given.

        Raises KafkaError when Kafka does not answer, SettingsError when there is no such topic.
        """
        self._settings = settings or load_settings()
        self._topic = Topics.of(self._settings.stream.name).events
        self._undelivered = _Undelivered()
        self._published_s = -inf
        with kafka_errors(self._settings.kafka, "publish"):
            self._producer = KafkaProducer(
                **kafka_python_options(self._settings.kafka),
                acks="all",
                enable_idempotence=True,
                compression_type=compression,
                linger_ms=LINGER_MS,
                delivery_timeout_ms=int(DELIVERY_S * 1000),
                request_timeout_ms=int(DELIVERY_S * 1000) // 3,
                max_block_ms=int(BLOCK_S * 1000),
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        self._require_topic()

    def publish(
        self,
        series_id: str,
        value: float | None = None,
        *,
        values: Mapping[str, float | None] | None = None,
        timestamp: Timestamp,
        event_id: str | None = None,
    ) -> Receipt:
        """Send one observation: `value` of a one-channel model, or `values` by channel.

        None means missing. timestamp: a datetime with a zone, or milliseconds since 1970.
        event_id: of the measurement, for a stream that rejects repeats (`stream.remembered_ids`).
        Returns at once. Raises MessageError, with the reason the worker would give, for what
        the worker would reject; KafkaError when the buffer stays full.
        """
        given = {VALUE_CHANNEL: value} if values is None else dict(values)
        if values is not None and value is not None:
            raise MessageError(Reason.SCHEMA, "give either value or values, not both")
        observation = Observation(series_id, timestamp, given, event_id=event_id)
        return self.publish_observation(observation)

    def publish_observation(self, observation: Observation) -> Receipt:
        """Send one observation; raises as `publish` does."""
        observation = checked(observation)
        key, message = observation.series_id.encode(), encode_observation(observation)
        if len(message) > RECORD_BYTES:
            detail = f"{len(message)} bytes, at most {RECORD_BYTES}"
            raise MessageError(Reason.TOO_LARGE, detail)
        self._linger_in_company()
        with kafka_errors(self._settings.kafka, f"publish to {self._topic}"):
            partitions = len(self._producer.partitions_for(self._topic))
            future = self._producer.send(
                self._topic,
                message,
                key,
                headers=HEADERS,
                partition=partition_of(observation.series_id, partitions),
            )
        future.add_errback(self._undelivered.add)
        return Receipt(future, self._settings)

    def flush(self, timeout_s: float = DELIVERY_S) -> None:
        """Wait until everything published so far is delivered.

        Raises KafkaError when something was not, or not within the time; each failure is
        reported once.
        """
        with kafka_errors(self._settings.kafka, "deliver all observations"):
            self._producer.flush(timeout_s)
        self._undelivered.raise_if_any(self._settings)

    def close(self, timeout_s: float = DELIVERY_S) -> None:
        """Deliver what is waiting, then disconnect. Raises as `flush` does."""
        try:
            self.flush(timeout_s)
        finally:
            self._producer.close(timeout=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except KafkaError as failure:
            if error is None:
                raise
            error.add_note(f"and {failure}")

    def _linger_in_company(self) -> None:
        """Let the next observation wait for others only if the one before it was just now."""
        now_s = time.monotonic()
        alone = now_s - self._published_s > ALONE_S
        self._published_s = now_s
        # Read by kafka-python's own thread whenever it asks which batches it may send.
        self._producer._accumulator.config["linger_ms"] = 0 if alone else LINGER_MS

    def _require_topic(self) -> None:
        try:
            with kafka_errors(self._settings.kafka, "publish"):
                self._producer.partitions_for(self._topic)
        except KafkaError as error:
            self._producer.close(timeout=1)
            if isinstance(error.__cause__, KafkaTimeoutError):
                raise missing_topic(self._topic) from error
            raise


class _Undelivered:
    """Counts deliveries that failed, from the producer's own thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._first: ForeignError | None = None

    def add(self, error: ForeignError) -> None:
        with self._lock:
            self._count += 1
            self._first = self._first or error

    def raise_if_any(self, settings: Settings) -> None:
        """Raise KafkaError for what failed since the last call."""
        with self._lock:
            count, first = self._count, self._first
            self._count, self._first = 0, None
        if first is not None:
            with kafka_errors(settings.kafka, f"deliver {count} observation(s)"):
                raise first
