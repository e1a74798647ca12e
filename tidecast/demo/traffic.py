"""The two sides of the stream: a thread that publishes, and one that reads what comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from kafka import KafkaConsumer, TopicPartition

from tidecast.demo.board import Board
from tidecast.demo.feed import Feed
from tidecast.kafka_clients import kafka_errors, kafka_python_options, partitions_found
from tidecast.messages import read_rejection
from tidecast.publisher import Place, Publisher
from tidecast.settings import Settings
from tidecast.subscriber import Subscriber
from tidecast.topics import Topics

POLL_S: Final = 0.1
CLOSE_S: Final = 1.0
"""Longest wait for Kafka when the end has come: it may be Kafka itself that is gone."""
JOIN_S: Final = 2.0


class Traffic:
    """Publishes a feed and reads its forecasts until stopped, each in a thread of its own."""

    def __init__(self, settings: Settings, feed: Feed, board: Board) -> None:
        self._settings = settings
        self._feed = feed
        self._board = board
        self._stop_publishing = Event()
        self._stop_reading = Event()
        self._failures: list[Exception] = []
        self._publisher = self._thread("publish", self._publish)
        self._reader = self._thread("read forecasts", self._read)

    @property
    def publishing(self) -> bool:
        """Whether more observations are to come."""
        return self._publisher.is_alive()

    def check(self) -> None:
        """Raise what has ended one of the threads."""
        for failure in self._failures:
            raise failure

    def stop_publishing(self) -> None:
        """Publish no more; returns when Kafka has answered for what was sent."""
        self._stop_publishing.set()
        self._publisher.join(JOIN_S)

    def stop(self) -> None:
        """End both threads. They are daemons, so one that hangs delays nobody."""
        self.stop_publishing()
        self._stop_reading.set()
        self._reader.join(JOIN_S)

    def _thread(self, name: str, run: Callable[[], None]) -> Thread:
        thread = Thread(target=self._guarded, args=(run,), name=name, daemon=True)
        thread.start()
        return thread

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as failure:
            self._failures.append(failure)

    def _publish(self) -> None:
        publisher = Publisher(self._settings)
        try:
            for observations in self._feed.batches(self._stop_publishing.wait):
                self._board.observe(observations)
                sent = [
                    (time.monotonic(), publisher.publish_observation(observation))
                    for observation in observations
                ]
                self._board.publish([(receipt.wait(), called_s) for called_s, receipt in sent])
        finally:
            publisher.close(CLOSE_S)

    def _read(self) -> None:
        with (
            Subscriber(self._settings, start="earliest") as subscriber,
            _rejections(self._settings) as rejected_places,
        ):
            while not self._stop_reading.is_set():
                forecasts = subscriber.poll(POLL_S)
                self._board.forecast(forecasts, time.monotonic())
                self._board.reject(rejected_places())


@contextmanager
def _rejections(settings: Settings) -> Iterator[Callable[[], list[Place]]]:
    """A function that gives the places of the observations rejected since its last call."""
    topic = Topics.of(settings.stream.name).rejected
    with kafka_errors(settings.kafka, f"read {topic}"):
        consumer = KafkaConsumer(**kafka_python_options(settings.kafka), metrics_enabled=False)
        try:
            numbers = partitions_found(topic, consumer.partitions_for_topic(topic))
            partitions = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            yield lambda: _rejected_places(consumer)
        finally:
            consumer.close()


def _rejected_places(consumer: KafkaConsumer) -> list[Place]:
    rejections = [
        read_rejection(record.key, record.value, dict(record.headers))
        for records in consumer.poll(timeout_ms=0).values()
        for record in records
    ]
    return [Place(rejection.partition, rejection.offset) for rejection in rejections]
