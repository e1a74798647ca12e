"""Reads a stream from its first offset to its last and says what is not as it must be."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from kafka import KafkaConsumer, TopicPartition

from bench.faults.expected import Expected, expect
from bench.faults.timing import Answered
from bench.faults.verdict import Found
from bench.outputs import partition_records
from stream.app import group_of
from stream.engine import Engine
from stream.kafka.records import bound_batches
from stream.records import Record
from stream.state import checkpoint
from stream.state.redis_store import RedisStore
from tidecast.errors import MessageError, TidecastError
from tidecast.kafka_clients import kafka_python_options
from tidecast.messages import Status, read_rejection
from tidecast.repeats import ForecastIdentity, SeenForecasts
from tidecast.settings import Settings
from tidecast.topics import Topics


class Verified(NamedTuple):
    """What was found, and the times of each partition."""

    found: Found
    times: list[Answered]


class _Identity(ForecastIdentity, frozen=True):
    status: Status


class _Trouble:
    """Counts what is wrong, and keeps the first example of it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.example = ""

    def note(self, kind: str, what: str, times: int = 1) -> None:
        self.counts[kind] += times
        self.example = self.example or f"{kind}: {what}"


def verify(settings: Settings, engine: Engine) -> Verified:
    """The verdict on a stream whose workers have ended. settings: with the straight addresses."""
    bound_batches()  # so that a batch beyond the limits is read here as a worker reads it
    return asyncio.run(_verify(settings, engine))


async def _verify(settings: Settings, engine: Engine) -> Verified:
    topics = Topics.of(settings.stream.name)
    store = RedisStore(settings.redis, group_of(settings))
    trouble, times = _Trouble(), []
    seen = SeenForecasts()
    events = rejected = 0
    for partition in range(settings.stream.partitions):
        records = await partition_records(settings, topics.events, partition)
        expected = expect(engine, partition, records)
        forecasts = await partition_records(settings, topics.forecasts, partition)
        rejections = _rejections(settings, topics.rejected, partition)
        first_ms = _check_forecasts(expected, _answers(forecasts), seen, trouble)
        _check_rejections(expected, rejections, {one.offset: one for one in records}, trouble)
        held = await _rows(store, checkpoint.TopicPartition(topics.events, partition))
        _check_rows(expected.rows, held, trouble)
        times.append(_times(records, first_ms, expected))
        events += len(records)
        rejected += len(expected.refused)
    await store.close()
    counts = {name: trouble.counts[name] for name in Found.__struct_fields__ if name != "example"}
    counts |= {"events": events, "rejected": rejected}
    return Verified(Found(**counts, example=trouble.example), times)


class _Answer(NamedTuple):
    """A forecast as it was read; identity is None for what cannot be read as one."""

    record: Record
    identity: _Identity | None


def _answers(forecasts: Iterable[Record]) -> Iterator[_Answer]:
    """The forecasts that answer events; those that a timer made are left out."""
    decode = msgspec.json.Decoder(_Identity).decode
    for record in forecasts:
        try:
            identity = decode(record.value or b"")
        except msgspec.MsgspecError:
            yield _Answer(record, None)
            continue
        if identity.status is not Status.STALE:
            yield _Answer(record, identity)


def _check_forecasts(
    expected: Expected, answers: Iterable[_Answer], seen: SeenForecasts, trouble: _Trouble
) -> dict[int, int]:
    """When each event was first answered: milliseconds by offset."""
    first_ms: dict[int, int] = {}
    newest: dict[str, int] = {}
    for record, identity in answers:
        offset = -1 if identity is None else identity.source.offset
        if identity is None or expected.messages.get(offset) != record.value:
            trouble.note("wrong", _difference(expected.messages.get(offset), record))
            continue
        new = seen.is_new(identity)
        if offset in first_ms:
            trouble.counts["duplicates_raw"] += 1
            if new:
                trouble.note("duplicates_read", f"offset {offset}")
            continue
        first_ms[offset] = record.timestamp
        series = expected.series[offset]
        if newest.get(series, -1) > offset:
            trouble.note("out_of_order", f"offset {offset} of {series}")
        newest[series] = max(offset, newest.get(series, -1))
    lost = expected.messages.keys() - first_ms.keys()
    if lost:
        trouble.note("lost", f"no forecast for offsets {_few(lost)}", len(lost))
    return first_ms


def _check_rejections(
    expected: Expected, rejections: Iterable[Any], events: dict[int, Record], trouble: _Trouble
) -> None:
    """Rejections may come twice, as forecasts may; they have no id to drop them by."""
    found = set()
    for record in rejections:
        try:
            rejection = read_rejection(record.key, record.value, dict(record.headers))
        except MessageError as error:
            trouble.note("wrong", str(error))
            continue
        offset = rejection.offset
        event = events.get(offset)
        same = event is not None and (event.key, event.value) == (rejection.key, rejection.value)
        if not same or expected.refused.get(offset) is not rejection.reason:
            trouble.note("wrong", f"offset {offset} rejected as {rejection.reason}")
            continue
        found.add(offset)
    lost = expected.refused.keys() - found
    if lost:
        trouble.note("lost", f"no rejection of offsets {_few(lost)}", len(lost))


def _check_rows(wanted: dict[str, bytes], held: dict[str, bytes], trouble: _Trouble) -> None:
    wrong = [key for key in wanted.keys() | held.keys() if wanted.get(key) != held.get(key)]
    if wrong:
        trouble.note("windows_wrong", f"in Redis: {', '.join(sorted(wrong)[:3])}", len(wrong))


def _rejections(settings: Settings, topic: str, partition: int) -> Iterator[Any]:
    """The records of the rejected topic with their headers, which the worker's reader leaves."""
    place = TopicPartition(topic, partition)
    options = kafka_python_options(settings.kafka)
    with contextlib.closing(KafkaConsumer(**options, enable_auto_commit=False)) as consumer:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end = consumer.end_offsets([place])[place]
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=1000).values():
                yield from records


async def _rows(store: RedisStore, place: checkpoint.TopicPartition) -> dict[str, bytes]:
    """All rows that Redis holds; none where it does not answer."""
    rows: dict[str, bytes] = {}
    try:
        async for part in store.rows(place):
            rows |= part
    except TidecastError:
        rows.clear()
    return rows


def _times(records: Sequence[Record], first_ms: dict[int, int], expected: Expected) -> Answered:
    """What was never answered counts as answered when the last event of the partition came."""
    last_ms = max([record.timestamp for record in records[-1:]] + [*first_ms.values(), 0])
    asked = [record for record in records if record.offset in expected.messages]
    return Answered(
        np.array([record.timestamp for record in asked], np.int64),
        np.array([first_ms.get(record.offset, last_ms) for record in asked], np.int64),
    )


def _difference(wanted: bytes | None, record: Record) -> str:
    found = (record.value or b"").decode(errors="replace")
    return f"{found}, expected {'none' if wanted is None else wanted.decode()}"


def _few(offsets: Iterable[int]) -> str:
    ordered = sorted(offsets)
    return f"{ordered[0]} to {ordered[-1]}, {len(ordered)} in all"
