"""A consumer group in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream.state.checkpoint import TopicPartition
from stream.testing.services import InMemoryLog
from tidecast.errors import GroupInUseError


class InMemoryGroup:
    """A `state_admin.Group` whose commits go to an `InMemoryLog`.

    is_forgotten: Kafka does not know the group.
    """

    def __init__(
        self, log: InMemoryLog, members: Sequence[str] = (), *, is_forgotten: bool = False
    ) -> None:
        self.present = list(members)
        self._log = log
        self._is_forgotten = is_forgotten

    async def members(self) -> list[str]:
        """See Group."""
        return list(self.present)

    async def forgotten(self) -> bool:
        """See Group."""
        return self._is_forgotten

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See Group."""
        if self.present:
            raise GroupInUseError("the group has members")
        for partition, offset in offsets.items():
            self._log.commit(partition, offset)
