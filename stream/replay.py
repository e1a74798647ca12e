"""The engine without servers: history in, the forecasts a live worker would have published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from stream.encoder import Encoder
from stream.engine import Engine
from stream.records import Record
from stream.series.table import SeriesTable
from tidecast.messages import Forecast, decode_forecast
from tidecast.topics import Topics

REPLAY_BATCH = 4096


def replay(
    engine: Engine,
    records: Iterable[Record],
    table: SeriesTable | None = None,
    partition: int = 0,
) -> Iterator[Forecast]:
    """Forecasts for the records of one partition, in order.

    `table` is brought up to date when given; otherwise the replay starts from an empty one.
    """
    table = engine.new_table() if table is None else table
    topic = Topics.of(engine.stream.name).events
    stream = engine.stream.model_copy(update={"encoding": "json"})
    encoder = Encoder(engine.manifest, stream, topic, partition)
    for batch in batches(records, REPLAY_BATCH):
        answers = engine.apply(table, batch)
        yield from map(decode_forecast, encoder.encode(batch, answers).values)


def batches(records: Iterable[Record], size: int) -> Iterator[Sequence[Record]]:
    """Consecutive lists of at most `size` records."""
    iterator = iter(records)
    while batch := list(islice(iterator, size)):
        yield batch
