"""The worker's stages in a row, for one partition: one batch after the other, each stage timed.

Nothing overlaps here, as it does in a worker, so the stages' own costs show. The same batches then
go through the worker's own `Partition`, which says what the stages should come to.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple

import aiokafka
import numpy as np

from stream.app import group_of
from stream.decoder import Decoder
from stream.encoder import Encoder
from stream.engine import Engine
from stream.grid import FloatArray, IntArray
from stream.kafka.output import KafkaOutput
from stream.kafka.records import bound_batches
from stream.onnx_predictor import OnnxPredictor
from stream.partition import Partition
from stream.predictor import Inputs, Prediction
from stream.records import Record
from stream.shared_engine import ASIDE, SharedEngine
from stream.state.checkpoint import Checkpoint, Owner, TopicPartition
from stream.state.recovery import terms_of
from stream.state.redis_store import RedisStore
from stream.testing import InMemoryLog
from stream.watch.memory import reuse_buffers
from tidecast.bundle import read_bundle
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import Settings
from tidecast.topics import Topics

STAGES: Final = ("fetch", "decode", "place", "predict", "encode", "produce", "checkpoint")
SUM: Final = "sum"
WHOLE: Final = "whole"
"""The same events through the worker's own `Partition`."""
PARTITION: Final = 0
"""The stages work on one partition's share of the backlog."""
MOST_BATCHES: Final = 2_000
"""Small batches take long: so many are enough."""

Batches = Sequence[Sequence[Record]]


class Stopwatch:
    """Seconds by stage: those that passed, and those that the processor was busy for us."""

    def __init__(self) -> None:
        self.wall_s: defaultdict[str, float] = defaultdict(float)
        self.busy_s: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes, all threads of this process together."""
        began_s, busy_s = time.perf_counter(), time.process_time()
        yield
        self.wall_s[stage] += time.perf_counter() - began_s
        self.busy_s[stage] += time.process_time() - busy_s


class Run(NamedTuple):
    """What the stages took for so many events in so many batches."""

    watch: Stopwatch
    events: int
    batches: int

    def busy_us(self) -> dict[str, float]:
        """Processor time in µs per event: `_us`."""
        return self._us(self.watch.busy_s)

    def wall_us(self) -> dict[str, float]:
        """Time that passed, in µs per event: `_us`."""
        return self._us(self.watch.wall_s)

    def _us(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """Of each stage; their SUM; the WHOLE, which is the fetch and the worker's partition."""
        us = {stage: seconds[stage] / self.events * 1e6 for stage in (*STAGES, WHOLE)}
        total = sum(us[stage] for stage in STAGES)
        return us | {SUM: total, WHOLE: us["fetch"] + us[WHOLE]}


class TimedPredictor:
    """A predictor whose calls are timed as a stage of their own."""

    def __init__(self, predictor: OnnxPredictor) -> None:
        self.manifest = predictor.manifest
        self.watch = Stopwatch()
        self._predictor = predictor

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        with self.watch.time("predict"):
            return self._predictor.predict(inputs)

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        with self.watch.time("predict"):
            return self._predictor.step(inputs)


class Line:
    """The stages of one partition, for as many runs as are wanted, each from an empty table."""

    def __init__(self, settings: Settings) -> None:
        # Records are then taken from a fetch, and memory is kept, as in a worker.
        bound_batches()
        reuse_buffers()
        topics, client = Topics.of(settings.stream.name), aiokafka_options(settings.kafka)
        self._predictor = TimedPredictor(OnnxPredictor(read_bundle(settings.worker.model)))
        self._engine = Engine(self._predictor, settings.stream)
        self._settings = settings
        self._place = TopicPartition(topics.events, PARTITION)
        self._encoder = Encoder(self._engine.manifest, settings.stream, *self._place)
        self._consumer = aiokafka.AIOKafkaConsumer(**client)
        self._output = KafkaOutput(client, topics)
        self._store = RedisStore(settings.redis, group_of(settings))
        self._claims = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connections for the length of the block."""
        await self._consumer.start()
        self._consumer.assign([aiokafka.TopicPartition(*self._place)])
        await self._output.start()
        yield
        await self._output.stop()
        await self._consumer.stop()
        await self._store.close()

    async def run(self, most: int) -> Run:
        """Take the events through every stage, in batches of at most so many."""
        watch = Stopwatch()
        with _without_collections():
            with watch.time("fetch"):
                batches = await self._fetch(most)
            await self._stages(watch, batches)
            self._decode(watch, batches)
            await self._whole(watch, batches)
        for spent in (watch.busy_s, watch.wall_s):
            spent["place"] = spent.pop("apply") - spent["decode"] - spent["predict"]
        return Run(watch, sum(map(len, batches)), len(batches))

    async def _fetch(self, most: int) -> Batches:
        place = aiokafka.TopicPartition(*self._place)
        self._consumer.seek(place, 0)
        end = (await self._consumer.end_offsets([place]))[place]
        batches: list[Sequence[Record]] = []
        while len(batches) < MOST_BATCHES and await self._consumer.position(place) < end:
            found: dict[Any, Sequence[Record]] = await self._consumer.getmany(
                place, timeout_ms=1000, max_records=most
            )
            batches += found.values()
        return batches

    async def _stages(self, watch: Stopwatch, batches: Batches) -> None:
        """All stages after the fetch; `apply` is decoding, placing and predicting together."""
        engine, checkpoint = self._engine, await self._claim()
        table, changed = engine.new_table(), list[IntArray]()
        self._predictor.watch = watch
        for batch, due in self._spaced(batches):
            with watch.time("apply"):
                # In a thread where a worker does it there.
                if len(batch) >= ASIDE:
                    answers = await asyncio.to_thread(engine.apply, table, batch)
                else:
                    answers = engine.apply(table, batch)
            with watch.time("encode"):
                messages = self._encoder.encode(batch, answers)
            with watch.time("produce"):
                await self._output.delivered(await self._output.forecasts(PARTITION, messages))
            changed.append(answers.touched)
            if due:
                with watch.time("checkpoint"):
                    rows = table.dump(np.unique(np.concatenate(changed)))
                    cursor = batch[-1].offset + 1
                    await checkpoint.save(rows, cursor, engine.manifest.graph_sha256)
                changed.clear()

    def _decode(self, watch: Stopwatch, batches: Batches) -> None:
        """Decode once more, by itself.

        After all other stages: before each batch's, it would bring the batch into the cache.
        """
        stream = self._settings.stream
        names = [channel.name for channel in self._engine.manifest.channels]
        decoder = Decoder(names, stream.ahead_s, event_ids=stream.remembered_ids > 0)
        for batch in batches:
            with watch.time("decode"):
                decoder.decode(batch)

    async def _whole(self, watch: Stopwatch, batches: Batches) -> None:
        self._predictor.watch = Stopwatch()
        partition = Partition(
            SharedEngine(self._engine),
            self._encoder,
            self._output,
            InMemoryLog(),  # asked for what is missing between batches, which is nothing
            await self._claim(),
            self._engine.new_table(),
            cursor=0,
        )
        with watch.time(WHOLE):
            for batch, due in self._spaced(batches):
                await partition.handle(batch)
                if due:
                    await partition.save()

    def _spaced(self, batches: Batches) -> Iterator[tuple[Sequence[Record], bool]]:
        """The batches, and whether a checkpoint follows: as often as in a worker, and at last."""
        interval_s = self._settings.worker.checkpoint_interval_s
        saved_s = time.monotonic()
        for number, batch in enumerate(batches, 1):
            due = time.monotonic() - saved_s >= interval_s or number == len(batches)
            if due:
                saved_s = time.monotonic()
            yield batch, due

    async def _claim(self) -> Checkpoint:
        """The partition's checkpoint, in a name that outranks the one before."""
        self._claims += 1
        terms = terms_of(self._engine, self._settings.stream.partitions)
        return await Checkpoint.claim(self._store, self._place, Owner(self._claims, "bench"), terms)


@contextmanager
def _without_collections() -> Iterator[None]:
    """No search for cycles within the block: a worker sees to it that there are very few."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
