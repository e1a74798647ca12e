"""Forecasts in Avro on the real servers: a reader cannot tell them from those in JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from kafka import KafkaConsumer

from tests.e2e.worker_process import running_worker
from tests.waiting import wait_until
from tidecast import Forecast, Publisher, Subscriber
from tidecast.kafka_clients import kafka_python_options
from tidecast.messages import FORECAST_AVRO_SCHEMA, FORECAST_SCHEMA, SCHEMA_HEADER
from tidecast.settings import Settings
from tidecast.topics import Topics

LIMIT_S: Final = 60.0
SERIES: Final = 5
ROUNDS: Final = 4
EVENTS: Final = SERIES * ROUNDS
TOLERANCE: Final = 1e-5
"""Relative; batches of other sizes round in another order."""


def test_the_same_events_are_answered_alike_in_both_encodings(
    settings: Settings, tmp_path: Path
) -> None:
    publish(settings)
    first = answers(with_encoding(settings, "json"), tmp_path / "json.log")
    second = answers(with_encoding(settings, "avro"), tmp_path / "avro.log")
    assert schemas_on_the_topic(settings) == [FORECAST_SCHEMA] * EVENTS + (
        [FORECAST_AVRO_SCHEMA] * EVENTS
    )
    with Subscriber(settings, start="earliest") as subscriber:
        once = gather(subscriber.poll, EVENTS)
        wait_until(
            lambda: subscriber.poll(0.1) == [] and subscriber.repeats == EVENTS, LIMIT_S, "repeats"
        )
    assert [without_numbers(one) for one in once] == [without_numbers(one) for one in first]
    assert [without_numbers(one) for one in second] == [without_numbers(one) for one in first]
    np.testing.assert_allclose(numbers(second), numbers(first), rtol=TOLERANCE)


def publish(settings: Settings) -> None:
    with Publisher(settings) as publisher:
        for slot in range(ROUNDS):
            for number in range(SERIES):
                time_ms = 1_790_000_000_000 + slot * 3_600_000
                publisher.publish(f"series-{number}", 1.5 * slot + number, timestamp=time_ms)


def with_encoding(settings: Settings, encoding: Literal["json", "avro"]) -> Settings:
    """A group of its own for each, so that both answer every event, under the same ids."""
    return settings.model_copy(
        update={
            "stream": settings.stream.model_copy(update={"encoding": encoding}),
            "worker": settings.worker.model_copy(
                update={"group": f"{settings.stream.name}-{encoding}"}
            ),
        }
    )


def answers(settings: Settings, log: Path) -> list[Forecast]:
    """What a worker of these settings sends, as a reader sees it."""
    with Subscriber(settings) as subscriber, running_worker(settings, log) as worker:
        found = gather(subscriber.poll, EVENTS)
        assert worker.stop() == 0
    return found


def gather(poll: Callable[[float], list[Forecast]], count: int) -> list[Forecast]:
    """By id."""
    found: list[Forecast] = []

    def enough() -> bool:
        found.extend(poll(0.2))
        return len(found) >= count

    wait_until(enough, LIMIT_S, f"{count} forecasts")
    return sorted(found, key=lambda one: one.forecast_id)


def schemas_on_the_topic(settings: Settings) -> list[bytes]:
    """The schema header of every forecast, those in JSON first."""
    consumer = KafkaConsumer(
        Topics.of(settings.stream.name).forecasts,
        **kafka_python_options(settings.kafka),
        auto_offset_reset="earliest",
    )
    found: list[bytes] = []

    def enough() -> bool:
        batches: dict[Any, list[Any]] = consumer.poll(timeout_ms=200)
        for records in batches.values():
            found.extend(dict(record.headers)[SCHEMA_HEADER] for record in records)
        return len(found) >= 2 * EVENTS

    wait_until(enough, LIMIT_S, "the forecasts of both")
    consumer.close()
    return sorted(found, reverse=True)


def without_numbers(forecast: Forecast) -> Forecast:
    return msgspec.structs.replace(forecast, quantiles=[])


def numbers(forecasts: list[Forecast]) -> list[list[list[float]]]:
    return [forecast.quantiles for forecast in forecasts]
