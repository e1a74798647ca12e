"""The main job on the real servers: every event is answered once, and rightly, kills included."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from stream.app import group_of
from stream.replay import replay
from stream.series.table import SeriesTable
from stream.state.checkpoint import TopicPartition
from stream.state.redis_store import RedisStore
from stream.worker import load_engine
from tests.e2e import etth1
from tests.e2e.worker_process import running_worker
from tidecast import Forecast, Publisher, Subscriber
from tidecast.messages import Observation
from tidecast.settings import Settings
from tidecast.topics import Topics

LIMIT_S: Final = 120.0
TOLERANCE: Final = 1e-5
"""Relative to the largest number of a forecast; other batch sizes round in another order."""


@etth1.needs_etth1
def test_every_row_of_etth1_is_forecast_once_and_as_offline(
    settings: Settings, tmp_path: Path
) -> None:
    published = publish(settings, etth1.observations())
    with Subscriber(settings, start="earliest") as subscriber:
        with running_worker(settings, tmp_path / "worker.log") as worker:
            forecasts = collect(subscriber, published)
            assert worker.stop() == 0
        assert subscriber.poll(0.5) == []
        assert subscriber.repeats == 0
    assert published == 7 * 17_420
    assert_as_offline(settings, forecasts, rows=None)
    assert_windows_hold_the_end(settings)


@etth1.needs_etth1
def test_a_killed_worker_loses_doubles_and_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    published = publish(settings, etth1.observations())
    log = tmp_path / "worker.log"
    with Subscriber(settings, start="earliest") as subscriber:
        with running_worker(settings, log) as worker:
            before = collect(subscriber, published // 3)
            worker.kill()
        assert asyncio.run(answered_events(settings)) < published
        with running_worker(settings, log) as worker:
            forecasts = collect(subscriber, published, before)
            assert worker.stop() == 0
        assert subscriber.poll(0.5) == []
    assert_as_offline(settings, forecasts, rows=None)
    assert_windows_hold_the_end(settings)


def publish(settings: Settings, observations: Iterable[Observation]) -> int:
    """Send all, wait for every delivery, and say how many there were."""
    count = 0
    with Publisher(settings) as publisher:
        for observation in observations:
            publisher.publish_observation(observation)
            count += 1
    return count


def collect(
    subscriber: Subscriber, wanted: int, found: Mapping[str, Forecast] | None = None
) -> dict[str, Forecast]:
    """At least `wanted` forecasts by id, those `found` before included; fails on a repeat."""
    forecasts = dict(found or {})
    deadline = time.monotonic() + LIMIT_S
    while len(forecasts) < wanted:
        assert time.monotonic() < deadline, f"{len(forecasts)} of {wanted} forecasts"
        for forecast in subscriber.poll(0.5):
            assert forecast.forecast_id not in forecasts
            forecasts[forecast.forecast_id] = forecast
    return forecasts


def assert_as_offline(
    settings: Settings, forecasts: Mapping[str, Forecast], rows: int | None
) -> None:
    """The live forecasts are those of a replay: same ids, same numbers."""
    engine = load_engine(settings)
    expected = {
        forecast.forecast_id: forecast
        for partition, records in etth1.as_log(
            etth1.observations(rows), settings.stream.partitions
        ).items()
        for forecast in replay(engine, records, partition=partition)
    }
    assert forecasts.keys() == expected.keys()
    ids = list(expected)
    live = np.array([forecasts[key].quantiles for key in ids])
    offline = np.array([expected[key].quantiles for key in ids])
    scale = np.abs(offline).max(axis=(1, 2), keepdims=True)
    assert np.all(np.abs(live - offline) <= TOLERANCE * scale)
    assert all(
        forecasts[key].origin == expected[key].origin
        and forecasts[key].source == expected[key].source
        and forecasts[key].status == expected[key].status
        for key in ids
    )


def assert_windows_hold_the_end(settings: Settings) -> None:
    """Redis holds, for each series, a window of exactly its last values."""
    table = asyncio.run(stored_table(settings))
    context = table.layout.context
    times, columns = etth1.load()
    rows = {name: table.row_of(name) for name in columns}
    assert None not in rows.values()
    for name, row in rows.items():
        place = np.array([row])
        expected = columns[name][-context:].astype(np.float32)
        np.testing.assert_array_equal(table.windows(place)[0, :, 0], expected)
        assert table.newest(place)[0] == times[-1] // 1000 // etth1.STEP_SECONDS


async def answered_events(settings: Settings) -> int:
    """How many events are in checkpoints."""
    store = RedisStore(settings.redis, group_of(settings))
    topic = Topics.of(settings.stream.name).events
    places = [TopicPartition(topic, number) for number in range(settings.stream.partitions)]
    heads = [await store.head(place) for place in places]
    await store.close()
    return sum(head.cursor or 0 for head in heads if head is not None)


async def stored_table(settings: Settings) -> SeriesTable:
    """All rows that Redis holds of the stream."""
    table = load_engine(settings).new_table()
    store = RedisStore(settings.redis, group_of(settings))
    topic = Topics.of(settings.stream.name).events
    for partition in range(settings.stream.partitions):
        async for part in store.rows(TopicPartition(topic, partition)):
            table.load(part)
    await store.close()
    return table
