"""The stages of the worker, each by itself and ready to begin: no server, a model that is cheap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from aiokafka import TopicPartition
from aiokafka.record.memory_records import MemoryRecords

from bench.jobs import SHIPPED
from bench.workload import CHANNEL, observations
from stream.decoder import Decoder
from stream.encoder import Encoder
from stream.engine import Engine
from stream.kafka.output import BATCH_BYTES, forecast_records
from stream.kafka.records import BoundedRecords
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from stream.records import Record
from stream.series.table import SeriesTable
from stream.testing import CountingPredictor, record
from tests.guard.effort import Work
from tidecast.bulk_publisher import HEADERS
from tidecast.bundle import read_bundle
from tidecast.record_batch import Records, record_batches
from tidecast.settings import StreamSettings

PLACE: Final = TopicPartition("guard.events", 0)
STREAM: Final = StreamSettings(name="guard")
ENGINE: Final = Engine(CountingPredictor(context=96, horizon=24), STREAM)
"""With windows and forecasts of the general GRU's size."""


class Sample(NamedTuple):
    """earlier: events that the table has had. batch: those that are worked on."""

    earlier: Sequence[Record]
    batch: Sequence[Record]

    @property
    def table(self) -> SeriesTable:
        """One that has had the earlier events."""
        table = ENGINE.new_table()
        ENGINE.apply(table, self.earlier)
        return table

    def one_by_one(self) -> list[Sample]:
        """The same events in batches of one."""
        return [Sample(self.earlier, [one]) for one in self.batch]


@cache
def sample(events: int, series: int) -> Sample:
    """So many events of so many series in turn, each of which the table knows."""
    written = [
        record(offset, one.series_id, one.timestamp, one.values)
        for offset, one in enumerate(islice(observations(series + events, series), None))
    ]
    return Sample(written[:series], written[series:])


def unpack(given: Sample) -> Work:
    """The bytes of a fetch to records."""
    columns = zip(*((one.key, one.value, HEADERS) for one in given.batch), strict=True)
    batches = record_batches(Records(*columns), BATCH_BYTES)
    data = b"".join(bytes(batch._build()) for batch in batches)
    return lambda: list(BoundedRecords(PLACE, MemoryRecords(data), None, 0, None, None, True, 0))


def decode(given: Sample) -> Work:
    """Records to columns."""
    decoder = Decoder([CHANNEL], STREAM.ahead_s)
    return lambda: decoder.decode(given.batch)


def apply(given: Sample) -> Work:
    """Records to answers, decoding included."""
    table = given.table
    return lambda: ENGINE.apply(table, given.batch)


@cache
def shipped_model() -> OnnxPredictor:
    return OnnxPredictor(read_bundle(SHIPPED))


def predict(given: Sample) -> Work:
    """Windows and states to forecasts, by the general GRU in ONNX Runtime."""
    model, count = shipped_model(), len(given.batch)
    origins = np.zeros(count, np.int64)
    windows = np.zeros((count, model.manifest.context, 1), np.float32)
    states = np.zeros((count, model.manifest.state_size), np.float32)
    inputs = Inputs(windows, origins, states)
    return lambda: model.predict(inputs)


def encode(given: Sample) -> Work:
    """Answers to messages."""
    answers = ENGINE.apply(given.table, given.batch)
    encoder = Encoder(ENGINE.manifest, STREAM, *PLACE)
    return lambda: encoder.encode(given.batch, answers)


def write(given: Sample) -> Work:
    """Messages to the bytes of Kafka's batches."""
    messages = Encoder(ENGINE.manifest, STREAM, *PLACE).encode(
        given.batch, ENGINE.apply(given.table, given.batch)
    )
    records = forecast_records(messages)
    return lambda: [batch._build() for batch in record_batches(records, BATCH_BYTES)]


def dump(given: Sample) -> Work:
    """Changed rows to bytes for a checkpoint."""
    table = given.table
    touched = ENGINE.apply(table, given.batch).touched
    return lambda: table.dump(touched)


STAGES: Final[Mapping[str, Callable[[Sample], Work]]] = {
    stage.__name__: stage for stage in (unpack, decode, apply, predict, encode, write, dump)
}
