"""Servers that are stopped, killed or paused on purpose, and what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.local.records import create_topic, read_first, send
from tests.waiting import wait_until
from tidecast.local import LocalServers, local_servers


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    with local_servers(tmp_path_factory.mktemp("faults")) as running:
        yield running


def test_kafka_killed_and_started_keeps_port_and_records(
    own_servers: LocalServers, stream_name: str
) -> None:
    address = own_servers.bootstrap_servers
    create_topic(own_servers, stream_name)
    send(own_servers, stream_name, b"before")
    own_servers.kafka.kill()
    assert not own_servers.kafka.running
    own_servers.kafka.start()
    assert own_servers.bootstrap_servers == address
    assert read_first(own_servers, stream_name) == b"before"


def test_valkey_restarted_and_killed_keeps_port_and_keys(own_servers: LocalServers) -> None:
    with Redis.from_url(own_servers.redis_url) as redis:
        redis.set("kept", "1")
        own_servers.valkey.restart()
        redis.incr("kept")
        own_servers.valkey.kill()
        own_servers.valkey.start()
        assert redis.get("kept") == b"2"


def test_a_paused_valkey_answers_only_when_resumed(own_servers: LocalServers) -> None:
    with Redis.from_url(own_servers.redis_url, socket_timeout=0.2, retry=None) as redis:
        redis.ping()
        own_servers.valkey.pause()
        process = psutil.Process(own_servers.valkey.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, 5, "Valkey is paused")
        with pytest.raises(RedisTimeoutError):
            redis.ping()
        own_servers.valkey.resume()
        assert redis.ping()


def test_stop_ends_a_paused_server_and_a_stopped_one(own_servers: LocalServers) -> None:
    own_servers.valkey.pause()
    own_servers.valkey.kill()
    own_servers.valkey.stop()
    assert not own_servers.valkey.running
    own_servers.valkey.start()
    assert own_servers.valkey.running


def test_data_is_kept_in_a_named_folder(tmp_path: Path, stream_name: str) -> None:
    with local_servers(tmp_path) as first:
        create_topic(first, stream_name)
        send(first, stream_name, b"kept")
    with local_servers(tmp_path) as second:
        assert read_first(second, stream_name) == b"kept"
