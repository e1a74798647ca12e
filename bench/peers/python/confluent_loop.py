"""The job as a bare loop over confluent-kafka: the upper mark of one Python process.

No guarantees: windows in memory alone, offsets committed by the clock, deliveries not awaited.
What a framework would keep it from is done: many messages a call, the model called for all series
of a batch at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson
from confluent_kafka import Consumer, Producer

from bench.peers.python.job import Job, given_job
from bench.peers.python.model import CHANNEL, Floats, Known, Model, message, origin

MESSAGES: Final = 2_000
"""Of one call of the consumer."""
WAIT_S: Final = 0.1

Event = dict[str, Any]


class Table:
    """What is known of every series, a row each, and the model that steps them on."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows: dict[str, int] = {}
        self._known = model.blank()

    def answers(self, events: Sequence[Event]) -> Floats:
        """Forecasts [B, levels, horizon] for B events, each of another series."""
        rows = [self._row(event["series_id"]) for event in events]
        windows, states = self._known
        step = self._model.step(
            Known(windows[rows], states[rows]),
            np.array([event["values"][CHANNEL] for event in events], np.float32),
            np.array([origin(event) for event in events]),
        )
        windows[rows], states[rows] = step.known
        return step.forecasts

    def _row(self, series_id: str) -> int:
        row = self._rows.setdefault(series_id, len(self._rows))
        if row == len(self._known.windows):
            # Doubled, so that a growing table is not copied for every new series.
            blank = self._model.blank()
            grown = [
                np.concatenate([known, np.repeat(new, row, axis=0)])
                for known, new in zip(self._known, blank, strict=True)
            ]
            self._known = Known(*grown)
        return row


def rounds(events: Sequence[Event]) -> Iterator[list[Event]]:
    """The events in their order, in parts in which a series occurs once."""
    part: dict[str, Event] = {}
    for event in events:
        if event["series_id"] in part:
            yield list(part.values())
            part = {}
        part[event["series_id"]] = event
    yield list(part.values())


def main(job: Job) -> None:
    """Consume, forecast, produce, until ended from outside."""
    model = Model(job.model)
    table = Table(model)
    consumer = Consumer(
        {
            "bootstrap.servers": job.broker,
            "group.id": job.name,
            "auto.offset.reset": "earliest",
        }
    )
    producer = Producer({"bootstrap.servers": job.broker, "linger.ms": 20})
    consumer.subscribe([job.events])
    while True:
        records = consumer.consume(MESSAGES, WAIT_S)
        events = [orjson.loads(record.value()) for record in records if not record.error()]
        for part in rounds(events) if events else ():
            for event, quantiles in zip(part, table.answers(part).tolist(), strict=True):
                answer = orjson.dumps(message(event, model.levels, quantiles))
                produce(producer, job.forecasts, event["series_id"], answer)


def produce(producer: Producer, topic: str, key: str, value: bytes) -> None:
    """Hand a message to the producer, as soon as its queue has room."""
    producer.poll(0)
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(WAIT_S)
        else:
            return


if __name__ == "__main__":
    main(given_job())
