"""Verifies a stream while it flows: an event and its forecast are forgotten together."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import aiokafka
import msgspec

from bench.processes import BenchError
from stream.encoder import Encoder
from stream.engine import Engine
from stream.kafka.records import bound_batches
from stream.records import Record
from tidecast.kafka_clients import aiokafka_options
from tidecast.repeats import ForecastIdentity, SeenForecasts
from tidecast.settings import Settings
from tidecast.topics import Topics

POLL_MS: Final = 200
FETCH_BYTES: Final = 8 * 1024 * 1024
"""Of a partition: a forecast has ten times the bytes of its event."""
FAR_AHEAD: Final = 100_000
"""Events read whose forecasts are not: then forecasts alone are read, or they would fall behind."""
REMEMBERED: Final = 1 << 18
"""Answered events of a partition whose forecast may come once more: what a killed worker repeats is
some thousands of them."""

_IDENTITY: Final = msgspec.json.Decoder(ForecastIdentity)


class LivePartition:
    """One partition: what its events must be answered, until they are.

    waiting: forecasts that must still come, by offset. longest_ms: from an event's append to its
    first forecast's.
    """

    def __init__(self, engine: Engine, topic: str, partition: int) -> None:
        self.waiting: dict[int, bytes] = {}
        self.longest_ms = 0
        self.answered = 0
        self._engine = engine
        self._encoder = Encoder(engine.manifest, engine.stream, topic, partition)
        self._table = engine.new_table()
        self._appended_ms: dict[int, int] = {}
        self._early: list[Record] = []
        self._answered: OrderedDict[int, int] = OrderedDict()
        self._seen = SeenForecasts()
        self._next = 0

    def events(self, records: Sequence[Record], found: Counter[str]) -> None:
        """Apply events as a worker does; their forecasts are waited for from now on."""
        answers = self._engine.apply(self._table, records)
        answered = [records[position] for position in answers.positions.tolist()]
        values = self._encoder.encode(records, answers).values
        for record, value in zip(answered, values, strict=True):
            self.waiting[record.offset] = value
            self._appended_ms[record.offset] = record.timestamp
        self._next = records[-1].offset + 1
        found["events"] += len(records)
        early, self._early = self._early, []
        self.forecasts(early, found)

    def forecasts(self, records: Iterable[Record], found: Counter[str]) -> None:
        """Compare forecasts with what they must be."""
        for record in records:
            value = record.value or b""
            identity = _IDENTITY.decode(value)
            offset = identity.source.offset
            if offset >= self._next:
                self._early.append(record)
            elif self.waiting.get(offset) == value:
                self._note(offset, value, record.timestamp)
                found["duplicates_read"] += not self._seen.is_new(identity)
            elif self._answered.get(offset) == hash(value):
                found["duplicates_raw"] += 1
                found["duplicates_read"] += self._seen.is_new(identity)
            else:
                found["wrong"] += 1

    def _note(self, offset: int, value: bytes, time_ms: int) -> None:
        del self.waiting[offset]
        self.answered += 1
        self.longest_ms = max(self.longest_ms, time_ms - self._appended_ms.pop(offset))
        self._answered[offset] = hash(value)
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)


class LiveVerifier:
    """Reads a stream from its first offset on, in a thread of its own."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.found: Counter[str] = Counter()
        self._settings = settings
        self._topics = Topics.of(settings.stream.name)
        self._partitions = [
            LivePartition(engine, self._topics.events, number)
            for number in range(settings.stream.partitions)
        ]
        self._failure: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verifier", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more. Raises BenchError when reading has failed."""
        self._over.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        """Raises BenchError when reading has failed."""
        if self._failure is not None:
            raise BenchError(f"the verifier failed: {self._failure!r}") from self._failure

    @property
    def waiting(self) -> int:
        """Events read whose forecast has not come."""
        return sum(len(one.waiting) for one in self._partitions)

    @property
    def answered(self) -> int:
        """Events whose forecast has come."""
        return sum(one.answered for one in self._partitions)

    @property
    def longest_s(self) -> float:
        """The longest an event had to wait for its forecast."""
        return max(one.longest_ms for one in self._partitions) / 1000

    def _run(self) -> None:
        bound_batches()
        try:
            asyncio.run(self._read())
        except BaseException as error:
            self._failure = error

    async def _read(self) -> None:
        events, forecasts = (
            [aiokafka.TopicPartition(topic, number) for number in range(len(self._partitions))]
            for topic in (self._topics.events, self._topics.forecasts)
        )
        async with aiokafka.AIOKafkaConsumer(
            **aiokafka_options(self._settings.kafka),
            enable_auto_commit=False,
            max_partition_fetch_bytes=FETCH_BYTES,
        ) as consumer:
            consumer.assign([*events, *forecasts])
            await consumer.seek_to_beginning(*events, *forecasts)
            while not self._over.is_set():
                self._take(await consumer.getmany(timeout_ms=POLL_MS))
                turn = consumer.pause if self.waiting > FAR_AHEAD else consumer.resume
                turn(*events)

    def _take(self, fetched: dict[Any, list[Record]]) -> None:
        # Events before forecasts: fewer then come early.
        for place, records in sorted(fetched.items(), key=lambda one: one[0].topic):
            partition = self._partitions[place.partition]
            if place.topic == self._topics.events:
                partition.events(records, self.found)
            else:
                partition.forecasts(records, self.found)
