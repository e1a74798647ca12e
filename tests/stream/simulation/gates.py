"""Services behind gates: nothing happens, and no answer arrives, before the world says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

from stream.encoder import Messages
from stream.event_log import Bounds
from stream.output import Delivery
from stream.records import Record
from stream.state.checkpoint import Head, Store, TopicPartition, Write
from stream.testing import InMemoryLog, Message
from tidecast.errors import RedisError
from tidecast.messages import Rejection


class Gate:
    """Where one worker's steps wait."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(opened)
        await opened


class GatedStore:
    """A store behind gates; now and then a checkpoint, or the reply to it, is lost."""

    def __init__(self, store: Store, gate: Gate, random: Random) -> None:
        self.under_way = 0
        """Calls that the store, which may be a real server, has not answered yet."""
        self._store, self._gate, self._random = store, gate, random

    async def head(self, partition: TopicPartition) -> Head | None:
        await self._gate()
        with self._call():
            head = await self._store.head(partition)
        await self._gate()
        return head

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        # A claim that fails is tried again after a pause, which a simulation has no time for.
        cursor = write.head.cursor if write.head else None
        unlucky = write.rows and cursor is not None and self._random.random() < 0.2
        await self._gate()
        if unlucky and self._random.random() < 0.5:
            raise RedisError("the store was not reached")
        with self._call():
            done = await self._store.swap(partition, expected, write)
        await self._gate()
        if unlucky:
            raise RedisError("the store's reply was lost")
        return done

    async def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        parts = self._store.rows(partition)
        while True:
            with self._call():
                part = await anext(parts, None)
            if part is None:
                return
            await self._gate()
            yield part

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1


class GatedLog:
    """A log behind gates."""

    def __init__(self, log: InMemoryLog, gate: Gate) -> None:
        self.partitions = log.partitions
        self._log, self._gate = log, gate

    async def bounds(self, partition: TopicPartition) -> Bounds:
        await self._gate()
        bounds = await self._log.bounds(partition)
        await self._gate()
        return bounds

    async def read(
        self, partition: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        async for part in self._log.read(partition, start, end):
            await self._gate()
            yield part


class GatedOutput:
    """A producer: what it has accepted is stored when it is waited for, or perhaps earlier."""

    def __init__(self, topic: list[Message | Rejection], gate: Gate) -> None:
        self.in_flight: list[Message | Rejection] = []
        self._topic, self._gate = topic, gate

    async def forecasts(self, partition: int, messages: Messages) -> list[Delivery]:
        return await self._accept(list(map(Message, messages.keys, messages.values)))

    async def rejections(self, partition: int, rejections: Iterable[Rejection]) -> list[Delivery]:
        return await self._accept(list(rejections))

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        await self._gate()
        self.store(len(self.in_flight))
        await self._gate()

    def store(self, count: int) -> None:
        """The first so many of those in flight arrive in the topic."""
        self._topic += self.in_flight[:count]
        del self.in_flight[:count]

    async def _accept(self, taken: Sequence[Message | Rejection]) -> list[Delivery]:
        await self._gate()
        self.in_flight += taken
        delivery: Delivery = asyncio.get_running_loop().create_future()
        delivery.set_result(None)
        return [delivery]


class HastyOutput(GatedOutput):
    """Broken: says that everything is stored while it is still in flight."""

    async def delivered(self, deliveries: Iterable[Delivery]) -> None:
        await self._gate()
