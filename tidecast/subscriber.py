"""Reading forecasts, each of them once: `Subscriber`."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, Self, TypeVar

import msgspec
from kafka import KafkaConsumer, TopicPartition

from tidecast.encodings import Encoding, encoding_of
from tidecast.errors import MessageError
from tidecast.kafka_clients import (
    CONNECT_S,
    drive_by_caller,
    kafka_errors,
    kafka_python_options,
    partitions_found,
)
from tidecast.messages import Forecast
from tidecast.record_reader import Record, read_plainly
from tidecast.repeats import ForecastIdentity, SeenForecasts
from tidecast.settings import Settings, load_settings
from tidecast.topics import Topics, partition_of

POLL_RECORDS: Final = 5_000
"""Most forecasts of one `poll`: enough to keep the reader busy, few enough to answer Ctrl-C."""
FETCH_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of one partition in one answer: two of the worker's largest requests."""

Start = Literal["latest", "earliest"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
Identity = Forecast | ForecastIdentity


class Subscriber:
    """Iterates over forecasts, of all series or of some, and drops repeats by forecast id.

        with Subscriber(series=["plant-7/load"]) as subscriber:
            for forecast in subscriber:
                print(forecast.origin, forecast.at(0.5))

    Without a `group` each subscriber sees everything. Members of a group share the partitions,
    and go on where the group was: what a `poll` returned counts as done with the next `poll`, or
    at the end of the block. A new member does not know what the one before it had seen, so after
    a failure the group sees some forecasts twice. Not thread-safe.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        series: Iterable[str] = (),
        start: Start = "latest",
        group: str | None = None,
    ) -> None:
        """Connect and take position: "latest" is the end of the log at this moment.

        A group that has read before goes on where it was, whatever `start` says. Raises
        KafkaError when Kafka does not answer, SettingsError when there is no such topic.
        """
        self._settings = settings or load_settings()
        self._topic = Topics.of(self._settings.stream.name).forecasts
        self._wanted = frozenset(series_id.encode() for series_id in series)
        self._grouped = group is not None
        self._unkept = False
        self._seen = SeenForecasts()
        self._ready: deque[Forecast] = deque()
        self.repeats = 0
        """Forecasts dropped because they were seen before."""
        self.undecodable = 0
        """Records skipped because they are no forecasts."""
        with kafka_errors(self._settings.kafka, f"read {self._topic}"):
            self._consumer = KafkaConsumer(
                **kafka_python_options(self._settings.kafka),
                group_id=group,
                auto_offset_reset=start,
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                max_poll_records=POLL_RECORDS,
                max_partition_fetch_bytes=FETCH_BYTES,
                metrics_enabled=False,
            )
            read_plainly(self._consumer)
            if not self._grouped:
                drive_by_caller(self._consumer)
            try:
                self._take_position(start)
            except BaseException:
                self._consumer.close()
                raise

    def poll(self, timeout_s: float = 1.0) -> list[Forecast]:
        """The forecasts that have come, in order within a series; none after `timeout_s`."""
        return self._poll(timeout_s, lambda encoding: encoding.forecast)

    def poll_json(self, timeout_s: float = 1.0) -> list[bytes]:
        """Like `poll`, but as JSON: what was sent as such is untouched, for about half the time."""
        return self._poll(timeout_s, lambda encoding: encoding.json)

    def __iter__(self) -> Iterator[Forecast]:
        """Every forecast, for ever; what was read ahead stays for the next loop."""
        while True:
            while self._ready:
                yield self._ready.popleft()
            self._ready.extend(self.poll())

    def close(self) -> None:
        """Disconnect; a group's position is kept unless a loop was left half-way."""
        with kafka_errors(self._settings.kafka, f"leave {self._topic}"):
            try:
                if self._unkept and not self._ready:
                    self._consumer.commit(timeout_ms=int(CONNECT_S * 1000))
            finally:
                self._consumer.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_position(self, start: Start) -> None:
        found = partitions_found(self._topic, self._consumer.partitions_for_topic(self._topic))
        if self._grouped:
            self._consumer.subscribe([self._topic])
            return
        ids = (key.decode() for key in self._wanted)
        numbers = {partition_of(series_id, len(found)) for series_id in ids} or set(found)
        partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        self._consumer.assign(partitions)
        consumer = self._consumer
        ends = consumer.end_offsets if start == "latest" else consumer.beginning_offsets
        offsets: Mapping[TopicPartition, int] = ends(partitions, timeout_ms=int(CONNECT_S * 1000))
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)

    def _poll(
        self, timeout_s: float, way: Callable[[Encoding], Callable[[bytes], tuple[Identity, T]]]
    ) -> list[T]:
        """What has come of the series asked for, without repeats."""
        found: list[T] = []
        for place, records in self._fetch(timeout_s).items():
            for offset, key, value, headers in records:
                if self._wanted and key not in self._wanted:
                    continue
                try:
                    identity, message = way(encoding_of(headers))(value or b"")
                    new = self._seen.is_new(identity)
                except (MessageError, msgspec.MsgspecError, ValueError) as error:
                    self._skip(f"{place.topic}/{place.partition} offset {offset}: {error}")
                    continue
                if new:
                    found.append(message)
                else:
                    self.repeats += 1
        return found

    def _fetch(self, timeout_s: float) -> Mapping[TopicPartition, list[Record]]:
        """The next records by partition, those before them done with."""
        with kafka_errors(self._settings.kafka, f"read {self._topic}"):
            if self._unkept:
                self._consumer.commit_async()
            found: Mapping[TopicPartition, list[Record]]
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        self._unkept = self._grouped and bool(found)
        return found

    def _skip(self, why: str) -> None:
        self.undecodable += 1
        _log.warning("skipped a record that is no forecast (%d so far): %s", self.undecodable, why)
