"""A stream of one's own on the session's servers."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.e2e import etth1
from tidecast.local import LocalServers
from tidecast.settings import KafkaSettings, RedisSettings, Settings, StreamSettings, WorkerSettings
from tidecast.topic_admin import create_topics


@pytest.fixture
def settings(servers: LocalServers, stream_name: str) -> Settings:
    """A stream of hourly steps in three partitions, its topics made."""
    made = Settings(
        kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers),
        redis=RedisSettings(url=SecretStr(servers.redis_url)),
        stream=StreamSettings(name=stream_name, partitions=3, step_seconds=etth1.STEP_SECONDS),
        # A worker that was killed is given up sooner than in production: tests wait for it.
        worker=WorkerSettings(session_s=3),
    )
    create_topics(made)
    return made
