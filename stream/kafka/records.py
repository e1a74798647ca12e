"""Fetched batches to records, within bounds.

A compressed batch of a few kilobytes may expand to gigabytes, and aiokafka expands it whole before
anybody can look at it. `bound_batches` gives it codecs with a limit, and an iterator that puts an
`Oversize` record in the place of what is beyond.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record import default_records as plain_batches
from aiokafka.record.default_records import DefaultRecordBatch

from stream.records import LoggedRecord, Oversize, Record

BATCH_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of an expanded batch: sixty times what a topic takes by default as one batch."""

VALUE_BYTES: Final = 1024 * 1024
"""Most bytes of a record that are carried on, if only to the rejected topic."""

UNPACKED_AT_ONCE: Final = 64
"""Records taken out of a batch together: through as many calls one by one takes twice as long."""

TAKEN_BYTES: Final = 32 * 1024 * 1024
"""Bytes of one fetch after which the rest is left to the next."""


class OversizeError(Exception):
    """A batch expands beyond BATCH_BYTES, or cannot be expanded at all."""


def bound_batches() -> None:
    """Set the limits for every aiokafka consumer of this process; records are `records.Record`."""
    codecs = {
        "gzip_decode": _gunzip,
        "lz4_decode": _within(cramjam.lz4.decompress_into),
        "zstd_decode": _within(cramjam.zstd.decompress_into),
    }
    modules = {plain_batches.__name__, DefaultRecordBatch.__module__}
    for name in modules:
        for codec, function in codecs.items():
            setattr(sys.modules[name], codec, function)
    fetcher.PartitionRecords = BoundedRecords


class BoundedRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka is untyped here
    """The records of one partition in one fetch.

    What ends early is asked for again: aiokafka goes on at `next_fetch_offset`.
    """

    next_fetch_offset: int

    def __iter__(self) -> Iterator[Record]:
        # Not itself, whose `__next__` is one call more for each record.
        records: Iterator[Record] = self._records_iterator
        return records

    def _unpack_records(self) -> Iterator[Record]:
        taken = 0
        while self._records.has_next():
            batch = self._records.next_batch()
            if not batch.is_control_batch:
                for records in _unpacked(batch):
                    for record in records:
                        # A batch may begin before what was asked for.
                        if record.offset >= self.next_fetch_offset:
                            self.next_fetch_offset = record.offset + 1
                            taken += len(record.value or b"")
                            yield record
                    if taken >= TAKEN_BYTES:
                        return
            self.next_fetch_offset = batch.next_offset


def _unpacked(batch: Any) -> Iterator[Sequence[Record]]:  # noqa: ANN401 - aiokafka is untyped here
    """The records of a batch, some at a time."""
    try:
        # aiokafka's own record is a dataclass of twelve fields, and takes six times as long.
        logged = (
            LoggedRecord(record.offset, record.timestamp, record.key, record.value)
            for record in batch
        )
        while records := list(islice(logged, UNPACKED_AT_ONCE)):
            yield _bounded(records)
    except OversizeError as error:
        detail = f"{error} (offsets {batch.base_offset} to {batch.next_offset - 1})"
        yield [Oversize(batch.next_offset - 1, batch.max_timestamp, detail)]


def _bounded(records: Sequence[LoggedRecord]) -> Sequence[Record]:
    """The records, with an `Oversize` for each that is too large."""
    sizes = [len(record.value or b"") + len(record.key or b"") for record in records]
    if max(sizes) <= VALUE_BYTES:
        return records
    return [
        record
        if size <= VALUE_BYTES
        else Oversize(record.offset, record.timestamp, f"a record of {size} bytes")
        for record, size in zip(records, sizes, strict=True)
    ]


def _gunzip(payload: memoryview) -> bytes:
    expander = zlib.decompressobj(wbits=31)
    expanded = expander.decompress(payload, BATCH_BYTES)
    if not expander.eof:
        raise OversizeError(f"a gzip batch beyond {BATCH_BYTES} bytes, or cut short")
    return expanded


def _within(expand_into: Callable[[Any, bytearray], int]) -> Callable[[Any], bytes]:
    """A codec that tries ever larger buffers up to the limit."""

    def expand(payload: Any) -> bytes:  # noqa: ANN401 - a buffer
        size = max(64 * 1024, 8 * len(payload))
        while True:
            buffer = bytearray(min(size, BATCH_BYTES))
            try:
                return bytes(memoryview(buffer)[: expand_into(payload, buffer)])
            except cramjam.DecompressionError as error:
                if size >= BATCH_BYTES:
                    raise OversizeError(
                        f"a batch beyond {BATCH_BYTES} bytes, or a damaged one: {error}"
                    ) from error
            size *= 8

    return expand
