"""One record into Kafka and out of it."""

from __future__ import annotations

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from tidecast.local import LocalServers

READ_LIMIT_MS = 20_000


def create_topic(servers: LocalServers, topic: str) -> None:
    with KafkaAdminClient(bootstrap_servers=servers.bootstrap_servers) as admin:
        admin.create_topics([NewTopic(topic, 1, 1)])


def send(servers: LocalServers, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all")
    producer.send(topic, value).get(timeout=10)
    producer.close()


def read_first(servers: LocalServers, topic: str) -> bytes:
    """Raises StopIteration when nothing comes within the limit."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers.bootstrap_servers, consumer_timeout_ms=READ_LIMIT_MS
    )
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    try:
        value = next(consumer).value
    finally:
        consumer.close()
    assert isinstance(value, bytes)
    return value
