"""Kafka's record batches read for keys and values, the headers left as they are.

kafka-python reads all of a record into objects, header by header, which takes twice as long as all
the rest of a reader's work. `PartitionRecords` stands in the place of the class of that name inside
kafka-python's fetcher, which keeps the positions, follows the leaders and unpacks what is
compressed. The format is version 2 of https://kafka.apache.org/documentation/#messageformat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CorruptRecordError

from tidecast.errors import MessageError, Reason
from tidecast.varints import read_varint

Record = tuple[int, bytes | None, bytes | None, bytes]
"""Offset, key, value, and the headers as they are on the wire, for `decode_headers`."""

NO_HEADERS: Final = b"\0"

MAGIC: Final = 2
"""The version read here; the ones before it ended with Kafka 0.10."""


def read_plainly(consumer: KafkaConsumer) -> None:
    """Have the consumer's `poll` return lists of `Record` in the place of `ConsumerRecord`.

    Deserializers and transactions are not looked at.
    """
    consumer._fetcher.PartitionRecords = PartitionRecords


class PartitionRecords:
    """What one fetch brought of a partition, handed on in portions. The fetcher calls it."""

    def __init__(
        self,
        fetch_offset: int,
        tp: TopicPartition,
        records: Any,  # noqa: ANN401 - kafka-python has no types
        *,
        on_drain: Callable[[PartitionRecords], None],
        **_: object,
    ) -> None:
        self.topic_partition = tp
        self.next_fetch_offset = fetch_offset
        self.leader_epoch = -1
        self.bytes_read = 0
        self._batches = records
        self._on_drain = on_drain
        self._drained = False
        self._ready: list[Record] = []
        """Those of the newest batch, of which the first `_taken` are gone."""
        self._taken = 0
        self._after_batch = fetch_offset

    def __bool__(self) -> bool:
        return not self._drained

    def drain(self) -> None:
        """Give up what is left."""
        if not self._drained:
            self._drained = True
            self._on_drain(self)

    def take(self, most: int) -> list[Record]:
        """The next records, in order. Raises CorruptRecordError when they cannot be read."""
        taken: list[Record] = []
        while not self._drained and len(taken) < most:
            if self._taken == len(self._ready):
                self._read_batch()
            part = self._ready[self._taken : self._taken + most - len(taken)]
            taken += part
            self._taken += len(part)
            left = self._ready[self._taken : self._taken + 1]
            self.next_fetch_offset = left[0][0] if left else self._after_batch
        return taken

    def _read_batch(self) -> None:
        batch = self._batches.next_batch()
        if batch is None:
            self.drain()
            return
        records = read_records(batch)
        # A batch comes whole, also when the position is in its midst.
        self._ready = [record for record in records if record[0] >= self.next_fetch_offset]
        self._taken = 0
        end = records[-1][0] + 1 if records else self._after_batch
        if batch.magic == MAGIC:
            self.leader_epoch = batch.leader_epoch
            end = batch.next_offset  # the last records may have been compacted away
        self._after_batch = max(end, self.next_fetch_offset)
        self.bytes_read += batch.size_in_bytes


def read_records(batch: Any) -> list[Record]:  # noqa: ANN401 - kafka-python has no types
    """The records of one of kafka-python's batches; none of a transaction's marks.

    Raises CorruptRecordError when its checksum is that of other bytes, or when these do not hold as
    many records as the batch says.
    """
    if not batch.validate_crc():
        raise CorruptRecordError(f"batch at offset {batch.base_offset}: its checksum is wrong")
    if batch.magic != MAGIC:
        return [(one.offset, one.key, one.value, NO_HEADERS) for one in batch]
    if batch.is_control_batch:
        return []
    batch._maybe_uncompress()
    try:
        return _read(bytes(batch._buffer), batch._pos, batch.base_offset, batch.records_count)
    except (IndexError, ValueError) as error:
        raise CorruptRecordError(f"batch at offset {batch.base_offset}: {error}") from error


def decode_headers(headers: bytes) -> list[tuple[str, bytes | None]]:
    """The headers of a record. Raises MessageError when the bytes are something else."""
    try:
        count, at = read_varint(headers, 0)
        found = []
        for _ in range(count):
            key, at = _text(headers, at)
            value, at = _text(headers, at)
            found.append(((key or b"").decode(), value))
    except (IndexError, ValueError) as error:
        raise MessageError(Reason.MALFORMED, f"headers: {error}") from error
    return found


def _read(data: bytes, at: int, first_offset: int, count: int) -> list[Record]:
    records = []
    for _ in range(count):
        length, at = read_varint(data, at)
        end = at + length
        _time, at = read_varint(data, at + 1)  # past the attributes
        delta, at = read_varint(data, at)
        key, at = _text(data, at)
        value, at = _text(data, at)
        records.append((first_offset + delta, key, value, data[at:end]))
        at = end
    if at != len(data):
        raise ValueError(f"{count} records end at byte {at} of {len(data)}")
    return records


def _text(data: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = read_varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)
