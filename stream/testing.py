"""Fakes for tests of streams, ours and our users': no server, no model file."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Final

import numpy as np

from stream.checkpoint import Head, Store, TopicPartition
from stream.encoder import Message
from stream.event_log import Bounds
from stream.grid import FloatArray, IntArray
from stream.output import Delivery
from stream.predictor import Prediction, Predictor
from stream.records import LoggedRecord, Record
from tidecast.bundle import Channel, Manifest
from tidecast.errors import KafkaError, LogMismatchError, RedisError
from tidecast.messages import Observation, Rejection, encode_observation

NOW_MS: Final = 1_900_000_000_000
"""The Kafka timestamp of hand-made records unless said otherwise: 2030-03-17."""


def manifest_of(
    name: str, context: int, horizon: int, channels: Sequence[str], state_size: int
) -> Manifest:
    """The manifest of a model that exists in memory only; its graph's hash is that of its name."""
    return Manifest(
        name=name,
        version="1",
        task="forecast",
        graph_sha256=hashlib.sha256(name.encode()).hexdigest(),
        graph_bytes=1,
        opset=18,
        step_seconds=None,
        context=context,
        horizon=horizon,
        channels=tuple(Channel(channel) for channel in channels),
        target=channels[0],
        quantile_levels=(0.1, 0.5, 0.9),
        state_size=state_size,
        created="2026-01-01T00:00:00Z",
        data_sha256="",
        data_licence="",
        training={},
        figures={},
        tools={},
    )


class CountingPredictor:
    """A model whose answers can be worked out by hand.

    state[0] counts the slots consumed, state[1] sums their values (missing counts as 0). Every
    level and lead of the forecast is the last value plus the sum so far.
    """

    def __init__(
        self,
        context: int = 8,
        horizon: int = 3,
        channels: Sequence[str] = ("value",),
        name: str = "counting",
    ) -> None:
        self.manifest = manifest_of(name, context, horizon, channels, state_size=2)

    def predict(
        self,
        windows: FloatArray,
        origins: IntArray,  # noqa: ARG002 - the protocol's signature
        states: FloatArray,
    ) -> Prediction:
        """See Predictor."""
        newest = np.nan_to_num(windows[:, -1, 0])
        next_state = states + np.stack([np.ones_like(newest), newest], axis=1)
        return Prediction(_flat(newest + next_state[:, 1], self.manifest), next_state)


class NaivePredictor:
    """A model without a state: every level and lead is the newest value, missing counts as 0."""

    def __init__(self, context: int = 8, horizon: int = 3) -> None:
        self.manifest = manifest_of("naive", context, horizon, ("value",), state_size=0)

    def predict(
        self,
        windows: FloatArray,
        origins: IntArray,  # noqa: ARG002 - the protocol's signature
        states: FloatArray,
    ) -> Prediction:
        """See Predictor."""
        return Prediction(_flat(np.nan_to_num(windows[:, -1, 0]), self.manifest), states)


class FailingPredictor:
    """Another model that breaks, in forecast and state, where the newest value is `poison`."""

    def __init__(self, model: Predictor, poison: float) -> None:
        """`poison`: any number; NaN for a model that breaks where a value is missing."""
        self.manifest = model.manifest
        self._model = model
        self._poison = np.float32(poison)

    def predict(self, windows: FloatArray, origins: IntArray, states: FloatArray) -> Prediction:
        """See Predictor."""
        forecast, next_state = self._model.predict(windows, origins, states)
        broken = np.isclose(windows[:, -1, 0], self._poison, rtol=0, atol=0, equal_nan=True)
        return Prediction(
            np.where(broken[:, None, None], np.float32(np.nan), forecast),
            np.where(broken[:, None], np.float32(np.inf), next_state),
        )


def _flat(answers: FloatArray, manifest: Manifest) -> FloatArray:
    shape = (len(answers), manifest.horizon, len(manifest.quantile_levels))
    return np.broadcast_to(answers[:, None, None], shape).astype(np.float32)


def record(
    offset: int,
    series_id: str,
    timestamp: datetime | int,
    values: Mapping[str, float | None] | float | None,
    now_ms: int = NOW_MS,
) -> LoggedRecord:
    """A record as a `Publisher` would send it; a bare number is the channel `value`."""
    channels = dict(values) if isinstance(values, Mapping) else {"value": values}
    observation = Observation(series_id, timestamp, channels)
    return LoggedRecord(offset, now_ms, series_id.encode(), encode_observation(observation))


class InMemoryStore:
    """A `checkpoint.Store` that lives as long as the process."""

    def __init__(self) -> None:
        self._heads: dict[TopicPartition, Head] = {}
        self._rows: defaultdict[TopicPartition, dict[str, bytes]] = defaultdict(dict)

    async def head(self, partition: TopicPartition) -> Head | None:
        """See Store."""
        return self._heads.get(partition)

    async def swap(
        self,
        partition: TopicPartition,
        expected: Head | None,
        head: Head,
        rows: Mapping[str, bytes],
        fresh: bool = False,
    ) -> bool:
        """See Store."""
        if self._heads.get(partition) != expected:
            return False
        if fresh:
            self._rows[partition].clear()
        self._rows[partition].update(rows)
        self._heads[partition] = head
        return True

    async def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        """See Store. One row a part; like a scan of Redis, not one moment's view of all."""
        for series_id in list(self._rows[partition]):
            if series_id in self._rows[partition]:
                yield {series_id: self._rows[partition][series_id]}

    def snapshot(self) -> InMemoryStore:
        """A copy of what is held now."""
        copy = InMemoryStore()
        copy.restore(self)
        return copy

    def restore(self, earlier: InMemoryStore) -> None:
        """Hold what a snapshot holds, as a server that lost its last writes; a new one: nothing."""
        self._heads = dict(earlier._heads)
        self._rows = defaultdict(dict, {key: dict(rows) for key, rows in earlier._rows.items()})


class Fault(Enum):
    """What goes wrong with a write."""

    UNREACHED = auto()
    """The write does not arrive."""
    REPLY_LOST = auto()
    """The write is done, the caller never hears of it."""


class FaultyStore:
    """Another store whose next writes meet the given faults, None for a write that goes well."""

    def __init__(self, store: Store, faults: Iterable[Fault | None] = ()) -> None:
        self.faults = deque(faults)
        self.head = store.head
        self.rows = store.rows
        self._store = store

    async def swap(
        self,
        partition: TopicPartition,
        expected: Head | None,
        head: Head,
        rows: Mapping[str, bytes],
        fresh: bool = False,
    ) -> bool:
        """See Store."""
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.UNREACHED:
            raise RedisError("the store was not reached")
        done = await self._store.swap(partition, expected, head, rows, fresh)
        if fault is Fault.REPLY_LOST:
            raise RedisError("the store's reply was lost")
        return done


class InMemoryLog:
    """An `EventLog` of records that a test appends."""

    def __init__(self, part: int = 3) -> None:
        """`part`: how many records are read at once."""
        self._records: defaultdict[TopicPartition, list[Record]] = defaultdict(list)
        self._starts: defaultdict[TopicPartition, int] = defaultdict(int)
        self._committed: dict[TopicPartition, int] = {}
        self._part = part

    def append(self, partition: TopicPartition, records: Iterable[Record]) -> None:
        """Add records with rising offsets, not always the next ones."""
        self._records[partition] += records

    def commit(self, partition: TopicPartition, offset: int) -> None:
        """Store the group's committed offset."""
        self._committed[partition] = offset

    def drop_before(self, partition: TopicPartition, start: int) -> None:
        """Forget what is older than `start`, as retention does."""
        self._starts[partition] = start
        kept = [record for record in self._records[partition] if record.offset >= start]
        self._records[partition] = kept

    async def bounds(self, partition: TopicPartition) -> Bounds:
        """See EventLog."""
        start, records = self._starts[partition], self._records[partition]
        end = records[-1].offset + 1 if records else start
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


class InMemoryOutput:
    """An `Output` that keeps what it is given, stored at once or when told to."""

    def __init__(self, at_once: bool = True) -> None:
        self.messages: list[tuple[int, Message]] = []
        self.rejected: list[tuple[int, Rejection]] = []
        self._at_once = at_once
        self._open: list[Delivery] = []

    async def forecasts(self, partition: int, messages: Iterable[Message]) -> list[Delivery]:
        """See Output."""
        taken = [(partition, message) for message in messages]
        self.messages += taken
        return self._accepted(len(taken))

    async def rejections(self, partition: int, rejections: Iterable[Rejection]) -> list[Delivery]:
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
