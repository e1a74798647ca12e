"""Kafka's record batches, written from whole columns of keys and values.

aiokafka takes messages one by one, which costs more than writing their bytes. A `RecordBatch` goes
to `AIOKafkaProducer.send_batch` in the place of aiokafka's own `BatchBuilder`. The format is
version 2 of https://kafka.apache.org/documentation/#messageformat.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Final, NamedTuple

import numpy as np
from crc32c import crc32c

from tidecast.varints import varint, varints

HEAD: Final = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, first and
last timestamp, producer id, producer epoch, first sequence number, number of records."""
COUNTED_FROM: Final = 12
"""The length of a batch is that of all bytes from here on."""
CHECKED_FROM: Final = 21
"""So is its checksum."""
CHECKSUM_AT: Final = 17
MAGIC: Final = 2
NO_LEADER_EPOCH: Final = -1
PLAIN: Final = 0
"""Attributes of a batch without compression, whose timestamp is the producer's."""
NOBODY: Final = (-1, -1, -1)
"""Id, epoch and sequence number of a producer that is not idempotent."""

ABSENT: Final = -1
"""The length of a key or value that is null."""
SAME_TIME: Final = b"\0\0"
"""No attributes, and no distance from the batch's timestamp."""
LARGEST_FRAME: Final = 30
"""Bytes that a record takes beside key, value and headers, at most."""

Header = tuple[str, bytes]


class Records(NamedTuple):
    """Messages in order: `keys[i]`, `values[i]` and `headers[i]`, which `encode_headers` made."""

    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[bytes]

    def part(self, start: int, stop: int) -> Records:
        """The messages from number `start` up to `stop`, which is left out."""
        return Records(self.keys[start:stop], self.values[start:stop], self.headers[start:stop])


class RecordBatch:
    """Messages of one partition. Its methods are those that aiokafka's producer calls."""

    def __init__(self, records: Records, timestamp_ms: int) -> None:
        self._records = records
        self._timestamp_ms = timestamp_ms
        self._producer = NOBODY
        self._bytes: bytearray | None = None

    def record_count(self) -> int:
        """How many messages there are."""
        return len(self._records.keys)

    def closed(self) -> bool:
        """Whether no more can be added, so that there is nothing to wait for."""
        return True

    def close(self) -> None:
        """Add no more."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, sequence: int) -> None:
        self._producer = producer_id, producer_epoch, sequence

    def _build(self) -> bytearray:
        # Asked for again when the request has to be sent again.
        if self._bytes is None:
            self._bytes = self._encode()
        return self._bytes

    def _encode(self) -> bytearray:
        encoded = bytearray().join(chain([bytes(HEAD.size)], _encode(self._records)))
        count, length = self.record_count(), len(encoded) - COUNTED_FROM
        last, time_ms = count - 1, self._timestamp_ms
        HEAD.pack_into(
            encoded,
            0,
            *(0, length, NO_LEADER_EPOCH, MAGIC, 0),
            *(PLAIN, last, time_ms, time_ms, *self._producer, count),
        )
        checksum = crc32c(memoryview(encoded)[CHECKED_FROM:])
        struct.pack_into(">I", encoded, CHECKSUM_AT, checksum)
        return encoded


def record_batches(records: Records, most_bytes: int) -> Iterator[RecordBatch]:
    """The messages in as few batches as the size allows, in order.

    A message that is larger by itself has a batch by itself.
    """
    now_ms = time.time_ns() // 1_000_000
    lengths = [_lengths(column) for column in records]
    count, room = len(records.keys), most_bytes - HEAD.size
    if count and sum(map(sum, lengths)) + count * LARGEST_FRAME <= room:  # as nearly always
        yield RecordBatch(records, now_ms)
        return
    ends = np.cumsum(np.sum(lengths, axis=0) + LARGEST_FRAME)
    start, taken = 0, 0
    while start < len(ends):
        stop = max(int(np.searchsorted(ends, taken + room, "right")), start + 1)
        yield RecordBatch(records.part(start, stop), now_ms)
        start, taken = stop, int(ends[stop - 1])


def encode_headers(headers: Sequence[Header]) -> bytes:
    """The headers of a message, as its record ends with them."""
    texts = [text for key, value in headers for text in (key.encode(), value)]
    return b"".join([varint(len(headers)), *_with_lengths(texts)])


def _encode(records: Records) -> Iterator[bytes]:
    """The bytes of the records, in pieces."""
    bodies = map(
        b"".join,
        zip(
            repeat(SAME_TIME),
            varints(range(len(records.keys))),
            varints(_lengths(records.keys)),
            [key or b"" for key in records.keys],
            varints(_lengths(records.values)),
            [value or b"" for value in records.values],
            records.headers,
        ),
    )
    return _with_lengths(list(bodies))


def _with_lengths(texts: Sequence[bytes]) -> Iterator[bytes]:
    return chain.from_iterable(zip(varints(list(map(len, texts))), texts, strict=True))


def _lengths(texts: Sequence[bytes | None]) -> list[int]:
    return [ABSENT if text is None else len(text) for text in texts]
