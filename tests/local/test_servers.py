"""Both servers really run: one record, one key, and both outlive a restart."""

from __future__ import annotations

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from redis import Redis

from tidecast.local import LocalServers


def test_a_record_goes_through_kafka(servers: LocalServers, stream_name: str) -> None:
    with KafkaAdminClient(bootstrap_servers=servers.bootstrap_servers) as admin:
        admin.create_topics([NewTopic(stream_name, 1, 1)])
    send(servers, stream_name, b"41.2")
    assert first_record(servers, stream_name) == b"41.2"


def test_valkey_answers_and_logs_every_write(servers: LocalServers) -> None:
    with Redis.from_url(servers.redis_url) as redis:
        assert redis.ping()
        assert redis.config_get("append*")["appendonly"] == "yes"
        assert redis.info("server")["valkey_version"].startswith("9.")


def send(servers: LocalServers, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all")
    producer.send(topic, value).get(timeout=10)
    producer.close()


def first_record(servers: LocalServers, topic: str) -> bytes:
    consumer = KafkaConsumer(bootstrap_servers=servers.bootstrap_servers)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    value = next(consumer).value
    consumer.close()
    assert isinstance(value, bytes)
    return value
