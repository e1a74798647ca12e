"""Faust without a broker: an app, its consumer, and messages put into a stream by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

TOPIC: Final = "events"
PLACE: Final = TP(TOPIC, 0)
NOBODY: Final = "kafka://127.0.0.1:1"

Revoked = Callable[[set[TP]], Awaitable[None]]


class Consumer(driver.Consumer):  # type: ignore[misc] # Faust is untyped here
    """Faust's own consumer, whose broker only notes what is committed."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self.commits: list[dict[TP, int]] = []

    def assignment(self) -> set[TP]:
        return {PLACE}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.commits.append(dict(offsets))
        return True


class Transport(driver.Transport):  # type: ignore[misc] # Faust is untyped here
    """Faust's own transport, with that consumer."""

    Consumer = Consumer


def plain_app() -> faust.App:
    """An app as Faust makes it when it is told nothing that is not needed."""
    app = faust.App("pins", broker=NOBODY, autodiscover=False)
    app.transport = Transport(app.conf.broker_consumer, app)
    return app


def close(app: faust.App) -> None:
    """Close what an app that never started has open: the loop of its consumer's thread."""
    app.consumer._thread.thread_loop.close()


async def stream_of(app: faust.App, offsets: Iterable[int], generation: int = 0) -> Any:  # noqa: ANN401
    """A stream of the topic with a message for each offset waiting in it."""
    topic = app.topic(TOPIC, key_serializer="raw", value_serializer="raw")
    app.topics.add(topic)
    app.topics.acking_topics.add(TOPIC)
    app.flow_control.resume()
    stream = topic.stream()
    for offset in offsets:
        message = message_of(offset, generation)
        message.incref()
        await stream.channel.put(await topic.decode(message))
    return stream


def message_of(offset: int, generation: int = 0) -> ConsumerMessage:
    """A message of the partition, its value the offset."""
    return ConsumerMessage(
        TOPIC, 0, offset, 0.0, 1, (), None, str(offset).encode(), None,
        tp=PLACE, generation_id=generation,
    )  # fmt: skip


def acknowledge(app: faust.App, offsets: Iterable[int]) -> None:
    """Have the consumer acknowledge messages that no stream has seen."""
    app.topics.acking_topics.add(TOPIC)
    for offset in offsets:
        assert app.consumer.ack(message_of(offset))
