"""What a partition needs of the way out; `kafka_output` is the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from stream.encoder import Messages
from tidecast.messages import Rejection

Delivery = asyncio.Future[Any]
"""Done when Kafka has stored the messages on all in-sync replicas."""


class Output(Protocol):
    """Takes messages in order; a call returns once they are accepted for sending."""

    async def forecasts(self, partition: int, messages: Messages) -> list[Delivery]:
        """Send forecasts to the partition of their events."""
        ...

    async def rejections(self, partition: int, rejections: Sequence[Rejection]) -> list[Delivery]:
        """Send unusable records, bytes untouched, to the partition of the same number."""
        ...

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """Wait until all are stored. Raises KafkaError when one was not."""
        ...
