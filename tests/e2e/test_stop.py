"""A worker that is told to stop ends in time, also when nobody answers it any more."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from stream.worker import STOP_S
from tests.e2e.worker_process import running_worker
from tests.waiting import wait_until
from tidecast.errors import EXIT_CANNOT_CONTINUE
from tidecast.local import local_servers
from tidecast.settings import KafkaSettings, RedisSettings, Settings, StreamSettings
from tidecast.topic_admin import create_topics

START_S: Final = 30.0


def test_a_worker_whose_kafka_is_gone_ends_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with local_servers(tmp_path / "servers") as servers:
        settings = Settings(
            kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers),
            redis=RedisSettings(url=SecretStr(servers.redis_url)),
            stream=StreamSettings(partitions=1),
        )
        create_topics(settings)
        with running_worker(settings, log) as worker:
            wait_until(lambda: "partition ready" in log.read_text(), START_S, "a claim")
            servers.kafka.kill()
            worker.send(signal.SIGTERM)
            assert worker.wait(STOP_S + 5) == EXIT_CANNOT_CONTINUE
    assert "no clean stop" in log.read_text()
