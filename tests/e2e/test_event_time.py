"""Quiet, ended and repeated series on the real servers."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from stream.state.checkpoint import TopicPartition
from stream.state.redis_store import RedisStore
from tests.e2e.test_bad_input import read_rejections
from tests.e2e.worker_process import running_worker
from tests.waiting import wait_until
from tidecast import Publisher, Subscriber
from tidecast.errors import Reason
from tidecast.local import LocalServers
from tidecast.messages import Forecast, Source, Status
from tidecast.settings import KafkaSettings, RedisSettings, Settings, StreamSettings
from tidecast.topic_admin import create_topics
from tidecast.topics import Topics

LIMIT_S: Final = 60.0


def settings_of(servers: LocalServers, name: str) -> Settings:
    """One partition, steps of a second, and every rule that is off by default."""
    made = Settings(
        kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers),
        redis=RedisSettings(url=SecretStr(servers.redis_url)),
        stream=StreamSettings(
            name=name,
            partitions=1,
            aggregate={"value": "mean"},
            remembered_ids=4,
            end_after_slots=20,
            stale_after_slots=1,
            stale_for_slots=60,
        ),
    )
    create_topics(made)
    return made


def stored_series(settings: Settings) -> set[str]:
    """The series whose rows Redis holds."""

    async def read() -> set[str]:
        store = RedisStore(settings.redis, settings.stream.name)
        place = TopicPartition(Topics.of(settings.stream.name).events, 0)
        found = {key async for part in store.rows(place) for key in part}
        await store.close()
        return found

    return asyncio.run(read())


def test_a_quiet_series_is_forecast_as_stale_until_it_ends(
    servers: LocalServers, stream_name: str, tmp_path: Path
) -> None:
    settings = settings_of(servers, stream_name)
    stale: list[Forecast] = []

    def stale_by_now() -> list[Forecast]:
        found = subscriber.poll(0.5)
        stale.extend(forecast for forecast in found if forecast.status is Status.STALE)
        return stale

    with (
        running_worker(settings, tmp_path / "worker.log") as worker,
        Publisher(settings) as publisher,
        Subscriber(settings, start="earliest") as subscriber,
    ):
        now_ms = int(time.time() * 1000)
        for _ in range(2):
            publisher.publish("quiet", 1.0, timestamp=now_ms, event_id="reading-1")
        (repeat,) = read_rejections(settings, 1)
        wait_until(lambda: len(stale_by_now()) >= 2, LIMIT_S, "two stale forecasts")
        assert stored_series(settings) == {"quiet"}
        publisher.publish("loud", 1.0, timestamp=now_ms + 60_000)
        wait_until(lambda: stored_series(settings) == {"loud"}, LIMIT_S, "the series ends in Redis")
        assert worker.stop() == 0
    assert repeat.reason is Reason.DUPLICATE
    first, second = stale[:2]
    assert (first.series_id, first.source) == ("quiet", Source(0, -1))
    assert (second.origin - first.origin).total_seconds() >= 1
