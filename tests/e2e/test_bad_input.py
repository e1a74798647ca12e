"""Bad records on the real servers: each is rejected with its bytes, and harms nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer

from tests.e2e.worker_process import running_worker
from tidecast import Subscriber
from tidecast.errors import Reason
from tidecast.kafka_clients import aiokafka_options, kafka_python_options
from tidecast.messages import Rejection, read_rejection
from tidecast.settings import Settings
from tidecast.topics import Topics

GOOD_ROWS: Final = 20
LIMIT_S: Final = 60.0
BOMB_BYTES: Final = 450_000_000
"""More than a worker may ever use here; the broker sees some thousand bytes of it."""


class Bad(NamedTuple):
    """A record that must be rejected, and why."""

    reason: Reason
    value: bytes | None
    key: bytes | None = b"bad"


def written(value: bytes, timestamp: bytes = b'"2026-01-01T00:00:00Z"') -> bytes:
    """An observation of series `bad` with the given texts for its value and its timestamp."""
    return b'{"series_id":"bad","timestamp":%b,"values":{"value":%b}}' % (timestamp, value)


BAD_RECORDS: Final = [
    Bad(Reason.MALFORMED, b"not json"),
    Bad(Reason.MALFORMED, b'{"series_id":"\xff\xfe"}'),
    Bad(Reason.EMPTY, b""),
    Bad(Reason.EMPTY, None),
    Bad(Reason.EMPTY, None, None),
    Bad(Reason.NO_KEY, written(b"1"), None),
    Bad(Reason.KEY_MISMATCH, written(b"1"), b"other"),
    Bad(Reason.UNKNOWN_CHANNEL, written(b"1").replace(b'"value":1', b'"value":1,"load":2')),
    Bad(Reason.MISSING_CHANNEL, written(b"1").replace(b'"value":1', b"")),
    Bad(Reason.NON_FINITE, written(b"NaN")),
    Bad(Reason.NON_FINITE, written(b"Infinity")),
    Bad(Reason.NON_FINITE, written(b"1e999")),
    Bad(Reason.NON_FINITE, written(b"1e39")),
    Bad(Reason.SCHEMA, written(b"true")),
    Bad(Reason.SCHEMA, written(b'"1"')),
    Bad(Reason.TIMESTAMP, written(b"1", b'"2026-01-01T00:00:00"')),
    Bad(Reason.FUTURE, written(b"1", b'"9000-01-01T00:00:00Z"')),
    Bad(Reason.TOO_LARGE, written(b"1").ljust(64 * 1024 + 1)),
    Bad(Reason.LATE, b'{"series_id":"good","timestamp":0,"values":{"value":1}}', b"good"),
]


def test_each_bad_record_is_rejected_and_the_others_are_forecast(
    settings: Settings, tmp_path: Path
) -> None:
    publish_between_good_records(settings)
    with (
        running_worker(settings, tmp_path / "worker.log") as worker,
        Subscriber(settings, start="earliest") as subscriber,
    ):
        rejections = read_rejections(settings, len(BAD_RECORDS))
        deadline = time.monotonic() + LIMIT_S
        forecasts = subscriber.poll(0.5)
        while len(forecasts) < GOOD_ROWS and time.monotonic() < deadline:
            forecasts += subscriber.poll(0.5)
        assert worker.running
        assert worker.stop() == 0
    assert [forecast.series_id for forecast in forecasts] == ["good"] * GOOD_ROWS
    found = {(rejection.reason, rejection.key, rejection.value) for rejection in rejections}
    assert found == {(bad.reason, bad.key, bad.value) for bad in BAD_RECORDS}
    assert {rejection.topic for rejection in rejections} == {Topics.of(settings.stream.name).events}


def test_a_small_batch_that_expands_to_gigabytes_is_rejected_in_little_memory(
    settings: Settings, tmp_path: Path
) -> None:
    asyncio.run(send(settings, [good_record(0)]))
    asyncio.run(send(settings, [(b"bomb", bytes(BOMB_BYTES)), (b"bomb", b"")], "zstd"))
    asyncio.run(send(settings, [good_record(1)]))
    with (
        running_worker(settings, tmp_path / "worker.log") as worker,
        Subscriber(settings, start="earliest") as subscriber,
    ):
        (rejection,) = read_rejections(settings, 1)
        deadline = time.monotonic() + LIMIT_S
        forecasts = subscriber.poll(0.5)
        while len(forecasts) < 2 and time.monotonic() < deadline:
            forecasts += subscriber.poll(0.5)
        assert worker.peak_memory_bytes() < BOMB_BYTES
        assert worker.stop() == 0
    assert [forecast.source.offset for forecast in forecasts] == [0, 3]
    assert (rejection.reason, rejection.offset) == (Reason.TOO_LARGE, 2)
    assert "offsets 1 to 2" in rejection.detail


def publish_between_good_records(settings: Settings) -> None:
    """Bad records in one partition, each after a good one of the series `good`."""
    records: list[tuple[bytes | None, bytes | None]] = []
    for row in range(GOOD_ROWS):
        records.append(good_record(row))
        records += [(bad.key, bad.value) for bad in BAD_RECORDS[row : row + 1]]
    asyncio.run(send(settings, records))


def good_record(row: int) -> tuple[bytes, bytes]:
    timestamp = 1_700_000_000_000 + row * 3_600_000
    return b"good", b'{"series_id":"good","timestamp":%d,"values":{"value":%d}}' % (timestamp, row)


async def send(
    settings: Settings,
    records: Sequence[tuple[bytes | None, bytes | None]],
    codec: str | None = None,
) -> None:
    """Write records to partition 0 as they are; a batch takes what a client's `send` refuses."""
    async with AIOKafkaProducer(
        **aiokafka_options(settings.kafka), max_batch_size=2 * BOMB_BYTES, compression_type=codec
    ) as producer:
        batch = producer.create_batch()
        for key, value in records:
            batch.append(timestamp=None, key=key, value=value)
        topic = Topics.of(settings.stream.name).events
        await (await producer.send_batch(batch, topic, partition=0))


def read_rejections(settings: Settings, wanted: int) -> Sequence[Rejection]:
    """What the rejected topic holds, once there are as many as wanted."""
    consumer = KafkaConsumer(
        Topics.of(settings.stream.name).rejected,
        **kafka_python_options(settings.kafka),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    found: list[Rejection] = []
    deadline = time.monotonic() + LIMIT_S
    while len(found) < wanted:
        assert time.monotonic() < deadline, f"{len(found)} of {wanted}: {found}"
        for records in consumer.poll(500).values():
            found += [read_rejection(r.key, r.value, dict(r.headers)) for r in records]
    consumer.close()
    return found
