"""Batches as aiokafka hands them over: what is within the limits, and what is not."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final

import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from stream.kafka.records import (
    BATCH_BYTES,
    TAKEN_BYTES,
    VALUE_BYTES,
    BoundedRecords,
    bound_batches,
)
from stream.records import Oversize, Record

CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
MEGABYTE: Final = 1024 * 1024

Batch = Iterable[tuple[int, bytes | None]]


@pytest.fixture(autouse=True)
def bounded() -> None:
    bound_batches()


def written(batch: Batch, codec: str) -> bytes:
    """A batch as it lies in the log: values by offset."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=CODECS[codec],
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**30,
    )
    for offset, value in batch:
        assert builder.append(offset, 1_700_000_000_000, b"key", value, []) is not None
    return bytes(builder.build())


def read(data: bytes, start: int = 0) -> tuple[list[Record], int]:
    """The records of a fetch that asked for `start`, and where the next fetch begins."""
    place = TopicPartition("events", 0)
    records = BoundedRecords(place, MemoryRecords(data), None, start, None, None, True, 0)
    return list(records), records.next_fetch_offset


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_within_the_limits_is_as_ever(codec: str) -> None:
    values = [b"v" * size for size in (0, 1, 100, 70_000)] + [None]
    records, after = read(written(enumerate(values), codec), start=1)
    assert [(record.offset, record.value) for record in records] == list(enumerate(values))[1:]
    assert {(record.key, record.timestamp) for record in records} == {(b"key", 1_700_000_000_000)}
    assert after == 5


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_batch_that_expands_beyond_the_limit_is_one_oversize_record(codec: str) -> None:
    zeros = bytes(MEGABYTE)
    bomb = written(((n, zeros) for n in range(BATCH_BYTES // MEGABYTE + 1)), codec)
    assert len(bomb) < MEGABYTE
    records, after = read(bomb)
    (oversize,) = records
    assert isinstance(oversize, Oversize)
    assert (oversize.offset, oversize.key, oversize.value) == (64, None, None)
    assert "offsets 0 to 64" in oversize.detail
    assert after == 65


@pytest.mark.parametrize("codec", CODECS)
def test_a_record_too_large_to_be_carried_is_named_without_its_value(codec: str) -> None:
    values = [b"small", bytes(VALUE_BYTES), b"small too"]
    records, after = read(written(enumerate(values), codec))
    assert [type(record).__name__ for record in records] == [
        "LoggedRecord",
        "Oversize",
        "LoggedRecord",
    ]
    assert after == 3


def test_a_fetch_of_many_large_records_is_left_half_way_and_gone_on_with() -> None:
    """Small on the wire, large in memory: no more is taken at once than the limit says."""
    value = bytes(VALUE_BYTES // 2)
    count = TAKEN_BYTES // len(value)
    data = written([(n, value) for n in range(count + 10)], "zstd")
    records, after = read(data)
    assert len(records) == after == count
    rest, after = read(data, start=after)
    assert [record.offset for record in rest] == list(range(count, count + 10))
    assert after == count + 10


def test_a_batch_that_is_damaged_is_an_oversize_record_too() -> None:
    data = written([(0, b"v" * 1000)], "gzip")
    short = data[:61] + zlib.compress(b"v" * 1000, wbits=31)[:-12]
    length = (len(short) - 12).to_bytes(4, "big")
    place, damaged = TopicPartition("events", 0), short[:8] + length + short[12:]
    records = BoundedRecords(place, MemoryRecords(damaged), None, 0, None, None, False, 0)
    (oversize,) = list(records)
    assert isinstance(oversize, Oversize)
