"""Fetched batches to records, within bounds.

A compressed batch of a few kilobytes may expand to gigabytes, and aiokafka expands it whole before
anybody can look at it. `bound_batches` gives it codecs with a limit, and an iterator that puts an
`Oversize` record in the place of what is beyond.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
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

    def _unpack_records(self) -> Iterator[Record]:
        taken = 0
        while self._records.has_next() and taken < TAKEN_BYTES:
            batch = self._records.next_batch()
            if not batch.is_control_batch:
                for record in self._unpack(batch):
                    taken += len(record.value or b"")
                    yield record
                    if taken >= TAKEN_BYTES:
                        return
            self.next_fetch_offset = batch.next_offset

    def _unpack(self, batch: Any) -> Iterator[Record]:  # noqa: ANN401 - aiokafka is untyped here
        try:
            for record in batch:
                # A batch may begin before what was asked for.
                if record.offset >= self.next_fetch_offset:
                    self.next_fetch_offset = record.offset + 1
                    yield self._bounded(record)
        except OversizeError as error:
            detail = f"{error} (offsets {batch.base_offset} to {batch.next_offset - 1})"
            self.next_fetch_offset = batch.next_offset
            yield Oversize(batch.next_offset - 1, batch.max_timestamp, detail)

    def _bounded(self, record: Any) -> Record:  # noqa: ANN401
        size = len(record.value or b"") + len(record.key or b"")
        if size > VALUE_BYTES:
            return Oversize(record.offset, record.timestamp, f"a record of {size} bytes")
        # aiokafka's own record is a dataclass of twelve fields, and takes six times as long.
        return LoggedRecord(record.offset, record.timestamp, record.key, record.value)


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
