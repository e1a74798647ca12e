"""Each worked example, in its tiny form, from its data to answers that are read from Kafka."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from stream.engine import Engine
from stream.onnx_predictor import OnnxPredictor
from stream.replay import replay
from tests.e2e.etth1 import as_log
from tests.e2e.forked_worker import a_worker, collect
from tests.examples.tiny import TINY, first_arrivals, tiny_run
from tidecast import Forecast, Publisher, Subscriber
from tidecast.bundle import read_bundle
from tidecast.messages import Observation, Status
from tidecast.settings import Settings, load_settings

EVENTS: Final = 200
"""Published of each example; windows of its tiny form are full by then."""


@pytest.mark.parametrize("name", TINY)
def test_what_an_example_leaves_is_served(name: str, settings: Settings, tmp_path: Path) -> None:
    made = tiny_run(name, tmp_path)
    served = on_servers(load_settings(made.settings), settings)
    events = first_arrivals(made, EVENTS)
    with Publisher(served) as publisher:
        for event in events:
            publisher.publish_observation(event)
    with Subscriber(served, start="earliest") as subscriber, a_worker(served, tmp_path):
        live = collect(subscriber, len(events))
    offline = {answer.forecast_id: timeless(answer) for answer in replayed(served, events)}
    assert {key: timeless(answer) for key, answer in live.items()} == offline
    statuses = {answer.status for answer in live.values()}
    assert statuses & {Status.OK, Status.GAPPY}
    assert Status.FALLBACK not in statuses


def on_servers(left: Settings, own: Settings) -> Settings:
    """The example's settings on the session's servers, event by event.

    Whoever else is in a batch changes the last digits of an answer; alone it is the same bit for
    bit.
    """
    stream = {"name": own.stream.name, "partitions": own.stream.partitions}
    return left.model_copy(
        update={
            "kafka": own.kafka,
            "redis": own.redis,
            "stream": left.stream.model_copy(update=stream),
            "worker": left.worker.model_copy(update={"batch_records": 1}),
        }
    )


def replayed(settings: Settings, events: Sequence[Observation]) -> Iterator[Forecast]:
    """What the serving engine, which is that of back-tests, answers the same events."""
    engine = Engine(OnnxPredictor(read_bundle(settings.worker.model)), settings.stream)
    for partition, records in as_log(iter(events), settings.stream.partitions).items():
        table = engine.new_table()
        for record in records:
            yield from replay(engine, [record], table, partition)


def timeless(answer: Forecast) -> Forecast:
    """The answer without the time of day at which Kafka had the event."""
    return replace(answer, issued_at=answer.origin)
