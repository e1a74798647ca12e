"""Kafka's own C client at both ends of a system under a steady load.

Our `Publisher` and `Subscriber` are Python, and cost as much of two cores as a worker does. Whoever
publishes from another language has ends like these, and the same ones serve every system.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.pacing import Pace, Published, on_schedule, share_of_core
from bench.processes import BenchError
from tidecast.messages import Observation, encode_observation
from tidecast.publisher import HEADERS
from tidecast.settings import Settings
from tidecast.topics import Topics

FLUSH_S: Final = 30.0
MOST: Final = 1_000
"""Messages that one poll takes, if they are there."""

Poll = Callable[[float], list[bytes]]
"""The values of the messages that have come; waits so many seconds for the first one."""


def publish(settings: Settings, pace: Pace, start_s: float) -> Published:
    """Publish each event when it is due, at once; idempotent, acks=all, by Java's partitioner.

    Raises BenchError when one is not delivered.
    """
    # Here, since nobody else has need of it.
    from confluent_kafka import Producer

    busy_s = time.process_time()
    topic, failures = Topics.of(settings.stream.name).events, []
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka.bootstrap_servers,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "partitioner": "murmur2_random",
        }
    )
    producer.list_topics(topic)

    def delivered(error: Any, _: object) -> None:  # noqa: ANN401 - the library's own
        if error is not None:
            failures.append(str(error))

    def send(one: Observation) -> None:
        key = one.series_id.encode()
        producer.produce(topic, encode_observation(one), key, headers=HEADERS, callback=delivered)
        producer.poll(0)

    called_s = on_schedule(pace, start_s, send)
    if left := producer.flush(FLUSH_S) + len(failures):
        raise BenchError(f"{left} events not delivered: {failures[:1]}")
    return Published(called_s, share_of_core(busy_s, start_s))


@contextmanager
def messages(settings: Settings, topic: str) -> Iterator[Poll]:
    """A reader of a whole topic from its start, without a group."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka.bootstrap_servers,
            "group.id": "none",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )

    def poll(timeout_s: float) -> list[bytes]:
        first = consumer.poll(timeout_s)
        found = [] if first is None else [first, *consumer.consume(MOST, 0)]
        for message in found:
            if message.error():
                raise BenchError(f"cannot read {topic}: {message.error()}")
        return [message.value() for message in found]

    try:
        consumer.assign([TopicPartition(topic, n, 0) for n in range(settings.stream.partitions)])
        yield poll
    finally:
        consumer.close()
