"""The job as a bare loop over confluent-kafka: the upper mark of one Python process.

No guarantees: windows in memory alone, offsets committed by the clock, deliveries not awaited.
What a framework would keep it from is done: many messages a call, the model called for all series
of a batch at once. For low latency it takes what is there and sends at once, in place of waiting
for a full batch at both ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson
from confluent_kafka import Consumer, Message, Producer

from bench.peers.python.job import Job, given_job
from bench.peers.python.model import CHANNEL, Floats, Known, Model, message, origin

MESSAGES: Final = 2_000
"""Of one call of the consumer."""
WAIT_S: Final = 0.1
LINGER_MS: Final = 20

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
    linger_ms = 0 if job.low_latency else LINGER_MS
    producer = Producer({"bootstrap.servers": job.broker, "linger.ms": linger_ms})
    consumer.subscribe([job.events])
    take = what_is_there if job.low_latency else a_batch
    while True:
        records = take(consumer)
        events = [orjson.loads(record.value()) for record in records if not record.error()]
        for part in rounds(events) if events else ():
            for event, quantiles in zip(part, table.answers(part).tolist(), strict=True):
                answer = orjson.dumps(message(event, model.levels, quantiles))
                produce(producer, job.forecasts, event["series_id"], answer)


def a_batch(consumer: Consumer) -> list[Message]:
    """So many messages, or those of a while."""
    messages: list[Message] = consumer.consume(MESSAGES, WAIT_S)
    return messages


def what_is_there(consumer: Consumer) -> list[Message]:
    """The next message as soon as it comes, and those that came with it."""
    first = consumer.poll(WAIT_S)
    return [] if first is None else [first, *consumer.consume(MESSAGES, 0)]


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
