"""Our reading of record batches against kafka-python's own, and the place that it takes there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Final

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

from tidecast.errors import MessageError
from tidecast.record_batch import encode_headers
from tidecast.record_reader import (
    NO_HEADERS,
    PartitionRecords,
    Record,
    decode_headers,
    read_records,
)

PLACE: Final = TopicPartition("forecasts", 3)
FIRST: Final = 1_000
NOW_MS: Final = 1_790_000_000_123
PLAIN, LZ4 = 0, 3
OLD, NEW = 1, 2
CONTROL: Final = 0x20
CHECKSUM_AT: Final = 17
ATTRIBUTES_AT: Final = 22
COUNT_AT: Final = 60
"""The last byte of the number of records."""

OURS: Final = re.compile(r"\b(?:part|(?:_next_)?partition_records)\.(\w+)")
"""An attribute of a `PartitionRecords`, in the fetcher's words."""

Message = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
TEXTS: Final = st.one_of(st.none(), st.binary(max_size=200))
HEADERS: Final = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=70)), max_size=2)
BATCHES: Final = st.lists(
    st.lists(st.tuples(TEXTS, TEXTS, HEADERS), min_size=1, max_size=70), min_size=1, max_size=4
)


def batch_of(
    messages: Iterable[Message], first: int, codec: int = PLAIN, magic: int = NEW
) -> bytearray:
    """A batch as the broker keeps it, from the given offset on."""
    builder = MemoryRecordsBuilder(magic, codec, 2**30)
    for number, (key, value, headers) in enumerate(messages):
        builder.append(NOW_MS + number * 100, key, value, headers)
    builder.close()
    batch = bytearray(builder.buffer())
    batch[:8] = first.to_bytes(8, "big")
    return batch


def check(batch: bytearray) -> None:
    """Give a batch that was changed its checksum."""
    batch[CHECKSUM_AT : CHECKSUM_AT + 4] = crc32c(batch[CHECKSUM_AT + 4 :]).to_bytes(4, "big")


def log_of(batches: Iterable[list[Message]], codec: int = PLAIN) -> bytes:
    """Batches one after the other."""
    log = bytearray()
    first = FIRST
    for messages in batches:
        log += batch_of(messages, first, codec)
        first += len(messages)
    return bytes(log)


def by_kafka_python(log: bytes) -> list[Record]:
    return [
        (one.offset, one.key, one.value, encode_headers(one.headers))
        for batch in MemoryRecords(log)
        for one in batch
    ]


class Drained:
    """Counts how often it is told that nothing is left."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, _: object) -> None:
        self.times += 1


def fetched(log: bytes, offset: int = FIRST) -> tuple[PartitionRecords, Drained]:
    drained = Drained()
    return PartitionRecords(offset, PLACE, MemoryRecords(log), on_drain=drained), drained


@given(BATCHES, st.sampled_from([PLAIN, LZ4]), st.integers(1, 100), st.integers(0, 100))
def test_portions_are_what_kafka_python_reads(
    batches: list[list[Message]], codec: int, most: int, skipped: int
) -> None:
    log = log_of(batches, codec)
    expected = [record for record in by_kafka_python(log) if record[0] >= FIRST + skipped]
    end = FIRST + max(skipped, sum(map(len, batches)))
    records, drained = fetched(log, FIRST + skipped)
    found: list[Record] = []
    while records:
        part = records.take(most)
        found += part
        assert len(part) <= most
        if part:
            assert records.next_fetch_offset == found[-1][0] + 1
    assert found == expected
    assert drained.times == 1
    assert records.next_fetch_offset == end
    assert records.bytes_read == len(log)


def test_numbers_of_every_length_are_read() -> None:
    sizes = [0, 1, 63, 64, 8191, 8192, 1_048_575, 1_048_576]
    log = log_of([[(None, bytes(size), []) for size in sizes]])
    records, _ = fetched(log)
    assert records.take(100) == by_kafka_python(log)


def test_marks_of_a_transaction_are_passed_over() -> None:
    mark = batch_of([(b"\0\0\0\1", b"", [])], FIRST)
    mark[ATTRIBUTES_AT] |= CONTROL
    check(mark)
    log = bytes(mark + batch_of([(b"k", b"v", [])], FIRST + 1))
    records, _ = fetched(log)
    assert records.take(10) == [(FIRST + 1, b"k", b"v", NO_HEADERS)]


def test_batches_of_the_old_format_are_read() -> None:
    batch = batch_of([(b"k", b"v", [])], FIRST, magic=OLD)
    records, _ = fetched(bytes(batch))
    assert records.take(10) == [(FIRST, b"k", b"v", NO_HEADERS)]
    assert records.next_fetch_offset == FIRST + 1


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_that_holds_another_number_of_records_is_corrupt(count: int) -> None:
    batch = batch_of([(b"k", b"v", [])] * 2, FIRST)
    batch[COUNT_AT] = count
    check(batch)
    with pytest.raises(CorruptRecordError, match=f"batch at offset {FIRST}: .*(record|range)"):
        read_records(DefaultRecordBatch(batch))


@pytest.mark.parametrize("magic", [OLD, NEW])
def test_a_batch_with_another_checksum_is_corrupt(magic: int) -> None:
    batch = batch_of([(b"k", b"value", [])] * 2, FIRST, magic=magic)
    batch[-3] ^= 1
    records, _ = fetched(bytes(batch))
    with pytest.raises(CorruptRecordError, match="checksum"):
        records.take(10)


@given(HEADERS)
def test_headers_are_read_back(headers: list[tuple[str, bytes]]) -> None:
    assert decode_headers(encode_headers(headers)) == headers


@given(st.binary(max_size=20))
def test_bytes_that_are_no_headers_are_refused(noise: bytes) -> None:
    try:
        found = decode_headers(noise)
    except MessageError:
        return
    assert all(isinstance(key, str) for key, _ in found)


def test_what_is_given_up_is_gone() -> None:
    records, drained = fetched(log_of([[(b"k", b"v", [])]]))
    records.drain()
    records.drain()
    assert not records
    assert records.take(1) == []
    assert drained.times == 1


def test_the_fetcher_calls_and_reads_what_we_have() -> None:
    """A change here is a change of `PartitionRecords`, or of `read_records`."""
    theirs = list(inspect.signature(Fetcher.PartitionRecords.__init__).parameters)
    assert theirs[:4] == ["self", "fetch_offset", "tp", "records"]
    assert theirs[-1] == "on_drain"
    assert "self._fetcher = Fetcher(" in inspect.getsource(KafkaConsumer.__init__)
    records, _ = fetched(b"")
    for method in (Fetcher._append, Fetcher.fetched_records, Fetcher._on_partition_records_drain):
        wanted = OURS.findall(inspect.getsource(method))
        assert wanted, method.__name__
        assert [name for name in wanted if not hasattr(records, name)] == []
    assert {"_buffer", "_pos"} <= set(DefaultRecordBatch.__slots__)
    assert list(inspect.signature(DefaultRecordBatch._maybe_uncompress).parameters) == ["self"]
