"""What one event costs in each stage of the worker: in this process, one batch after the other.

Nothing overlaps here, as it does in a worker, so the stages' own costs show. `produce` and
`checkpoint` also wait for their servers, so they take longer than the processor is busy.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiokafka

from bench.backlog import publish_backlog
from bench.machine import conditions
from bench.report import Figure, Result
from bench.streams import fresh_stream
from stream.app import group_of
from stream.decoder import Decoder
from stream.encoder import Encoder
from stream.engine import Engine
from stream.grid import FloatArray
from stream.kafka.output import KafkaOutput
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs, Prediction
from stream.records import Record
from stream.state.checkpoint import Checkpoint, Owner, TopicPartition
from stream.state.recovery import terms_of
from stream.state.redis_store import RedisStore
from tidecast.bundle import read_bundle
from tidecast.kafka_clients import aiokafka_options
from tidecast.local import LocalServers
from tidecast.settings import Settings
from tidecast.topics import Topics

QUESTION: Final = "What does one event cost in each stage of the worker?"
STAGES: Final = ("fetch", "decode", "place", "predict", "encode", "produce", "checkpoint")
PARTITION: Final = 0
"""The stages work on one partition's share of the backlog."""


@dataclass(frozen=True)
class Load:
    """The backlog of all partitions together."""

    events: int = 200_000
    series: int = 2_000
    repeats: int = 5


class Stopwatch:
    """Seconds by stage: how long it took, and how long the processor was busy with it."""

    def __init__(self) -> None:
        self.took_s: defaultdict[str, float] = defaultdict(float)
        self.busy_s: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes."""
        began_s, busy_s = time.perf_counter(), time.process_time()
        yield
        self.took_s[stage] += time.perf_counter() - began_s
        self.busy_s[stage] += time.process_time() - busy_s


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


def measure(servers: LocalServers, load: Load) -> Result:
    """Take a partition of a backlog through every stage, `repeats` times from an empty table."""
    found = conditions()
    with fresh_stream(servers) as settings:
        publish_backlog(settings, load.events, load.series)
        watches, events = asyncio.run(_run(settings, load.repeats))
    us = 1e6 / events
    busy = {stage: [watch.busy_s[stage] * us for watch in watches] for stage in STAGES}
    took = {stage: [watch.took_s[stage] * us for watch in watches] for stage in STAGES}
    totals = [sum(values) for values in zip(*busy.values(), strict=True)]
    return Result(
        bench="stages",
        question=QUESTION,
        parameters={
            "series in the partition": load.series // settings.stream.partitions,
            "events a batch": settings.worker.batch_records,
            "model": str(settings.worker.model),
        },
        figures=[
            *(Figure(f"{stage}_us", f"{stage}, busy µs", busy[stage], 2) for stage in STAGES),
            Figure("total_us", "total, busy µs", totals, 2),
            *(Figure(f"{stage}_took_us", f"{stage}, µs", took[stage], 2) for stage in STAGES),
        ],
        checked={"events": events},
        conditions=found,
    )


async def _run(settings: Settings, repeats: int) -> tuple[list[Stopwatch], int]:
    """A stopwatch for each repeat, and how many events each timed."""
    predictor = TimedPredictor(OnnxPredictor(read_bundle(settings.worker.model)))
    line = Line(Engine(predictor, settings.stream), settings)
    watches = []
    async with line.connected():
        for repeat in range(repeats):
            predictor.watch = Stopwatch()
            events = await line.run(predictor.watch, Owner(repeat + 1, "bench"))
            watches.append(predictor.watch)
    return watches, events


class Line:
    """The worker's stages in a row, for one partition."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        topics = Topics.of(settings.stream.name)
        client = aiokafka_options(settings.kafka)
        names = [channel.name for channel in engine.manifest.channels]
        self._engine = engine
        self._settings = settings
        self._place = TopicPartition(topics.events, PARTITION)
        self._decoder = Decoder(names, settings.stream.ahead_s)
        self._encoder = Encoder(engine.manifest, settings.stream, *self._place)
        self._consumer = aiokafka.AIOKafkaConsumer(**client)
        self._output = KafkaOutput(client, topics)
        self._store = RedisStore(settings.redis, group_of(settings))

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

    async def run(self, watch: Stopwatch, owner: Owner) -> int:
        """Take all events of the partition through the stages; how many there were."""
        engine, place = self._engine, self._place
        partitions = self._settings.stream.partitions
        model = engine.manifest.graph_sha256
        terms = terms_of(engine, partitions)
        checkpoint = await Checkpoint.claim(self._store, place, owner, terms)
        table = engine.new_table()
        with watch.time("fetch"):
            batches = await self._fetch()
        for batch in batches:
            with watch.time("decode"):
                self._decoder.decode(batch)
            with watch.time("apply"):
                answers = engine.apply(table, batch)
            with watch.time("encode"):
                messages = self._encoder.encode(batch, answers)
            with watch.time("produce"):
                await self._output.delivered(await self._output.forecasts(PARTITION, messages))
            with watch.time("checkpoint"):
                rows = table.dump(answers.touched)
                await checkpoint.save(rows, batch[-1].offset + 1, model)
        for spent in (watch.busy_s, watch.took_s):
            spent["place"] = spent["apply"] - spent["decode"] - spent["predict"]
        return sum(map(len, batches))

    async def _fetch(self) -> list[Sequence[Record]]:
        place = aiokafka.TopicPartition(*self._place)
        self._consumer.seek(place, 0)
        end = (await self._consumer.end_offsets([place]))[place]
        batches: list[Sequence[Record]] = []
        while await self._consumer.position(place) < end:
            found: dict[Any, Sequence[Record]] = await self._consumer.getmany(
                place, timeout_ms=1000, max_records=self._settings.worker.batch_records
            )
            batches += found.values()
        return batches
