"""What must have come out: the log of events put through the worker's own engine, offline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stream.encoder import Encoder
from stream.engine import Engine
from stream.records import Record
from stream.replay import REPLAY_BATCH, batches
from tidecast.errors import Reason
from tidecast.topics import Topics


class Expected(NamedTuple):
    """Of one partition, by the offset of the event.

    messages: the value of the forecast. series: whose it is. refused: why there is none, for
    those that must be rejected. rows: the windows and states at the end, by series id.
    """

    messages: dict[int, bytes]
    series: dict[int, str]
    refused: dict[int, Reason]
    rows: dict[str, bytes]


def expect(engine: Engine, partition: int, records: Sequence[Record]) -> Expected:
    """Replay the records of a partition from the first to the last."""
    topic = Topics.of(engine.stream.name).events
    encoder = Encoder(engine.manifest, engine.stream, topic, partition)
    table = engine.new_table()
    messages: dict[int, bytes] = {}
    series: dict[int, str] = {}
    refused: dict[int, Reason] = {}
    for batch in batches(records, REPLAY_BATCH):
        answers = engine.apply(table, batch)
        offsets = [batch[position].offset for position in answers.positions.tolist()]
        messages |= zip(offsets, encoder.encode(batch, answers).values, strict=True)
        series |= zip(offsets, answers.series_ids, strict=True)
        refused |= {batch[one.position].offset: one.reason for one in answers.refusals}
    return Expected(messages, series, refused, table.dump(table.rows()))
