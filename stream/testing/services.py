"""The events topic and the way out, in memory."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from stream.encoder import Messages
from stream.event_log import Bounds
from stream.output import Delivery
from stream.records import Record
from stream.state.checkpoint import TopicPartition
from stream.watch.health import Offsets
from tidecast.errors import KafkaError, LogMismatchError
from tidecast.messages import Rejection


class InMemoryLog:
    """An `EventLog` of records that a test appends."""

    def __init__(self, part: int = 3, partitions: int = 4) -> None:
        """`part`: how many records are read at once. `partitions`: of every topic."""
        self.partition_count = partitions
        self._records: defaultdict[TopicPartition, list[Record]] = defaultdict(list)
        self._starts: defaultdict[TopicPartition, int] = defaultdict(int)
        self._ends: defaultdict[TopicPartition, int] = defaultdict(int)
        self._committed: dict[TopicPartition, int] = {}
        self._part = part

    def append(self, partition: TopicPartition, records: Iterable[Record]) -> None:
        """Add records with rising offsets, not always the next ones."""
        self._records[partition] += records

    def end_at(self, partition: TopicPartition, end: int) -> None:
        """Let the log end there without an event, as it does after a transaction's marker."""
        self._ends[partition] = end

    def commit(self, partition: TopicPartition, offset: int) -> None:
        """Store the group's committed offset."""
        self._committed[partition] = offset

    def drop_before(self, partition: TopicPartition, start: int) -> None:
        """Forget what is older than `start`, as retention does."""
        self._starts[partition] = start
        kept = [record for record in self._records[partition] if record.offset >= start]
        self._records[partition] = kept

    async def partitions(self, topic: str) -> int:  # noqa: ARG002 - the protocol's signature
        """See EventLog."""
        return self.partition_count

    async def bounds(self, partition: TopicPartition) -> Bounds:
        """See EventLog."""
        start, records = self._starts[partition], self._records[partition]
        end = records[-1].offset + 1 if records else start
        end = max(end, self._ends[partition])
        return Bounds(start, end, self._committed.get(partition))

    async def read(
        self, partition: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        """See EventLog."""
        if start < min(self._starts[partition], end):
            raise LogMismatchError(f"{partition} no longer holds offset {start}")
        wanted = [record for record in self._records[partition] if start <= record.offset < end]
        for first in range(0, len(wanted), self._part):
            yield wanted[first : first + self._part]


class InMemoryOffsets:
    """A `monitor.OffsetSource` over an `InMemoryLog`, which falls silent when told to."""

    def __init__(self, log: InMemoryLog) -> None:
        self.silent = False
        self._log = log

    async def of(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, Offsets]:
        """See OffsetSource."""
        if self.silent:
            raise KafkaError("the log does not answer")
        bounds = {place: await self._log.bounds(place) for place in places}
        return {place: Offsets(found.end, found.committed) for place, found in bounds.items()}


class Message(NamedTuple):
    """Key and value of one record that was sent."""

    key: bytes
    value: bytes


class InMemoryOutput:
    """An `Output` that keeps what it is given, stored at once or when told to."""

    def __init__(self, at_once: bool = True) -> None:
        self.messages: list[tuple[int, Message]] = []
        self.rejected: list[tuple[int, Rejection]] = []
        self._at_once = at_once
        self._open: list[Delivery] = []

    async def forecasts(self, partition: int, messages: Messages) -> list[Delivery]:
        """See Output."""
        taken = list(map(Message, messages.keys, messages.values))
        self.messages += [(partition, message) for message in taken]
        return self._accepted(len(taken))

    async def rejections(self, partition: int, rejections: Sequence[Rejection]) -> list[Delivery]:
        """See Output."""
        taken = [(partition, rejection) for rejection in rejections]
        self.rejected += taken
        return self._accepted(len(taken))

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """See Output."""
        await asyncio.gather(*deliveries)

    def store(self) -> None:
        """Everything accepted so far is stored."""
        for delivery in self._open:
            delivery.set_result(None)
        self._open.clear()

    def refuse(self) -> None:
        """Nothing that was accepted and not stored yet ever will be."""
        for delivery in self._open:
            delivery.set_exception(KafkaError("the message was not stored"))
        self._open.clear()

    def _accepted(self, count: int) -> list[Delivery]:
        if not count:
            return []
        delivery: Delivery = asyncio.get_running_loop().create_future()
        self._open.append(delivery)
        if self._at_once:
            self.store()
        return [delivery]
