"""Our record batches against those of aiokafka, which writes message by message, and reads them."""

from __future__ import annotations

from typing import Final

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from tidecast.record_batch import (
    LARGEST_FRAME,
    Header,
    RecordBatch,
    Records,
    encode_headers,
    record_batches,
)

NOW_MS: Final = 1_790_000_000_123
PRODUCER: Final = (2**40, 7, 123_456)
Message = tuple[bytes | None, bytes | None, list[Header]]
TEXTS: Final = st.one_of(st.none(), st.binary(max_size=200))
HEADERS: Final = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=70)), max_size=3)
MESSAGES: Final = st.lists(st.tuples(TEXTS, TEXTS, HEADERS), min_size=1, max_size=150)


def records_of(messages: list[Message]) -> Records:
    keys, values, headers = zip(*messages, strict=True)
    return Records(keys, values, [encode_headers(some) for some in headers])


def by_aiokafka(messages: list[Message]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, *PRODUCER, batch_size=2**30)
    for place, (key, value, headers) in enumerate(messages):
        assert builder.append(place, NOW_MS, key, value, list(headers)) is not None
    return bytes(builder.build())


def test_the_bytes_are_those_that_aiokafka_writes() -> None:
    sizes = [0, 1, 63, 64, 8191, 8192, 1_048_575, 1_048_576]
    messages: list[Message] = [(b"k", bytes(size), [("schema", b"v")]) for size in sizes]
    batch = RecordBatch(records_of(messages), NOW_MS)
    batch._set_producer_state(*PRODUCER)
    assert batch._build() == by_aiokafka(messages)


@given(MESSAGES)
def test_any_messages_are_written_as_aiokafka_writes_them(messages: list[Message]) -> None:
    batch = RecordBatch(records_of(messages), NOW_MS)
    batch._set_producer_state(*PRODUCER)
    assert batch.record_count() == len(messages)
    assert batch._build() == by_aiokafka(messages)
    assert batch._build() is batch._build(), "what is sent again is the same"


@given(MESSAGES, st.integers(1, 2000))
def test_batches_hold_all_in_order_and_are_as_large_as_allowed(
    messages: list[Message], most_bytes: int
) -> None:
    found: list[Message] = []
    for batch in record_batches(records_of(messages), most_bytes):
        encoded = bytes(batch._build())
        assert len(encoded) <= most_bytes or batch.record_count() == 1
        (read,) = parsed(encoded)
        assert read.validate_crc()
        found += [(record.key, record.value, record.headers) for record in read]
    assert found == messages


@pytest.mark.parametrize("room", [3, 4])
def test_no_more_batches_than_needed(room: int) -> None:
    value = bytes(100)
    each = len(b"key") + len(value) + len(encode_headers([])) + LARGEST_FRAME
    records = records_of([(b"key", value, [])] * 12)
    counts = [batch.record_count() for batch in record_batches(records, 61 + room * each)]
    assert counts == [room] * (12 // room)


def test_no_messages_make_no_batch() -> None:
    assert list(record_batches(Records([], [], []), 1000)) == []


def parsed(encoded: bytes):  # type: ignore[no-untyped-def] # noqa: ANN201 - aiokafka is untyped here
    records = MemoryRecords(encoded)
    while records.has_next():
        yield records.next_batch()
