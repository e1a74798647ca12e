"""A range of a stream's events topic as a source of history: what its workers saw."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
from kafka import KafkaConsumer, TopicPartition
from msgspec import Meta

from stream.records import LoggedRecord
from tidecast.bundle import Positive, Text
from tidecast.errors import DataError, KafkaError, SettingsError
from tidecast.kafka_clients import kafka_errors, kafka_python_options, partitions_found
from tidecast.settings import KafkaSettings, Settings, load_settings
from tidecast.topics import Topics
from training.data.events import Events
from training.data.split import Shares, SplitRule
from training.data.table import Loaded

POLL_RECORDS: Final = 5_000
SILENCE_S: Final = 30.0
"""How long Kafka may bring nothing while the range has not ended."""

Bound = Annotated[datetime, Meta(tz=True)] | dict[str, int]
Tell = Callable[[int, int], None]
"""Told how many records are done with, of how many."""
Offsets = Mapping[TopicPartition, int]


class KafkaSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="source", tag="kafka"
):
    """The observations of a stream, on its own grid and by its own rules, split by time.

    channels: those of the observations, all of them. start, end: a time by Kafka's clock, or an
    offset for each partition by its number; without them all that the topic holds. A record at
    `end` is left out.
    """

    channels: Annotated[tuple[Text, ...], Meta(min_length=1)]
    settings: str | None = None
    """A file like tidecast.toml that says how to reach Kafka, and the stream; starts at the
    recipe's folder. Without it, as for every command."""
    start: Bound | None = None
    end: Bound | None = None
    most_records: Positive = 20_000_000
    """A longer range is an error: its observations are held in memory."""
    split: SplitRule = Shares()
    licence: str = "unknown"


class Range(NamedTuple):
    """Offsets [start, end) of a partition."""

    partition: int
    start: int
    end: int


def read_topic(source: KafkaSource, folder: Path, tell: Tell) -> Loaded:
    """Read the range and put what a worker would accept on the grid.

    Raises KafkaError when Kafka does not answer, SettingsError for a topic or partition that is
    not there, DataError for a range that is too long or holds nothing.
    """
    settings = load_settings(None if source.settings is None else folder / source.settings)
    topic = Topics.of(settings.stream.name).events
    events = Events(source.channels, settings.stream)
    digest = hashlib.sha256()
    with closing(_consumer(settings)) as consumer:
        log = _Log(consumer, settings.kafka, topic)
        ranges = log.ranges(source)
        total = sum(one.end - one.start for one in ranges)
        if total > source.most_records:
            raise DataError(
                f"the range of {topic} has {total:,} records, at most {source.most_records:,} are "
                "read; give a later start, an earlier end or more most_records"
            )
        done = 0
        for one in ranges:
            for records, position in log.records(one):
                for record in records:
                    digest.update(repr((one.partition, *record)).encode())
                events.add(one.partition, records)
                tell(done + position - one.start, total)
            done += one.end - one.start
    table, combined = events.table()
    counts = {"files": 0, "rows": events.accepted, "combined": combined}
    refused = {f"refused {reason}": count for reason, count in events.refused.items()}
    return Loaded(table, digest.hexdigest(), counts | refused, 0.0)


def _consumer(settings: Settings) -> KafkaConsumer:
    with kafka_errors(settings.kafka, "read the events"):
        return KafkaConsumer(
            **kafka_python_options(settings.kafka),
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            max_poll_records=POLL_RECORDS,
            metrics_enabled=False,
        )


class _Log:
    """The topic, as far as a source asks for it."""

    def __init__(self, consumer: KafkaConsumer, kafka: KafkaSettings, topic: str) -> None:
        self._consumer = consumer
        self._kafka = kafka
        self._topic = topic

    def ranges(self, source: KafkaSource) -> list[Range]:
        """What is asked for of each partition, within what the topic holds."""
        with kafka_errors(self._kafka, f"read {self._topic}"):
            numbers = self._consumer.partitions_for_topic(self._topic)
            places = [
                TopicPartition(self._topic, number)
                for number in partitions_found(self._topic, numbers)
            ]
            first = self._consumer.beginning_offsets(places)
            last = self._consumer.end_offsets(places)
            start = self._offsets(source.start, first, last)
            end = self._offsets(source.end, last, last)
        found = []
        for place in places:
            begin = min(max(start[place], first[place]), last[place])
            found.append(Range(place.partition, begin, max(begin, min(end[place], last[place]))))
        return found

    def records(self, wanted: Range) -> Iterator[tuple[list[LoggedRecord], int]]:
        """The records of a range in batches, each with the offset that comes next."""
        place = TopicPartition(self._topic, wanted.partition)
        position = wanted.start
        self._consumer.assign([place])
        if position < wanted.end:
            self._consumer.seek(place, position)
        while position < wanted.end:
            with kafka_errors(self._kafka, f"read {self._topic}"):
                found = self._consumer.poll(timeout_ms=int(SILENCE_S * 1000)).get(place, [])
                # Control records and the log's own gaps move the position, not the list.
                reached = self._consumer.position(place)
            if reached == position:
                raise KafkaError(
                    f"{self._topic}/{wanted.partition} brought nothing after offset {position} "
                    f"for {SILENCE_S:g} s; is the broker well? `tidecast check` looks closer"
                )
            position = reached
            records = [
                LoggedRecord(record.offset, record.timestamp, record.key, record.value)
                for record in found
                if record.offset < wanted.end
            ]
            yield records, min(position, wanted.end)

    def _offsets(self, bound: Bound | None, default: Offsets, last: Offsets) -> Offsets:
        """One bound as offsets: `default` where it says nothing of a partition."""
        if bound is None:
            return default
        if isinstance(bound, datetime):
            time_ms = int(bound.timestamp() * 1000)
            found = self._consumer.offsets_for_times(dict.fromkeys(last, time_ms))
            # No answer for a partition means that all its records are older.
            return {
                place: found[place].offset if found.get(place) else end
                for place, end in last.items()
            }
        known = {str(place.partition): place for place in last}
        unknown = sorted(set(bound) - set(known))
        if unknown:
            there = ", ".join(sorted(known))
            raise SettingsError(
                f"start or end names partition {unknown[0]!r}; {self._topic} has {there}"
            )
        return dict(default) | {known[number]: offset for number, offset in bound.items()}
