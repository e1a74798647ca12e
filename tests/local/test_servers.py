"""Both servers really run: one record through Kafka, one command to Valkey."""

from __future__ import annotations

from redis import Redis

from tests.local.records import create_topic, read_first, send
from tidecast.local import LocalServers


def test_a_record_goes_through_kafka(servers: LocalServers, stream_name: str) -> None:
    create_topic(servers, stream_name)
    send(servers, stream_name, b"41.2")
    assert read_first(servers, stream_name) == b"41.2"


def test_valkey_answers_and_logs_every_write(servers: LocalServers) -> None:
    with Redis.from_url(servers.redis_url) as redis:
        assert redis.ping()
        assert redis.config_get("append*")["appendonly"] == "yes"
        assert redis.config_get("append*")["appendfsync"] == "everysec"
        assert redis.info("server")["valkey_version"].startswith("9.")
