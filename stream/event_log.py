"""What recovery needs of the events topic; `kafka_log` is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from stream.records import Record
from stream.state.checkpoint import TopicPartition


class Bounds(NamedTuple):
    """Offsets of a partition: the first held, the one after the last, the group's commit."""

    start: int
    end: int
    committed: int | None


class EventLog(Protocol):
    """What recovery needs of the log."""

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        ...

    async def bounds(self, partition: TopicPartition) -> Bounds:
        """Where the partition stands now."""
        ...

    def read(
        self, partition: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        """The records with offsets in [start, end), in order, in parts."""
        ...
