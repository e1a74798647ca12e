"""Negative control: the job with Faust's `take()` and Faust's own commits.

The engine and the messages are the product's, rows are written to Redis batch by batch, the
forecasts go through `topic.send`: what a careful author would write who trusts Faust to commit.
Without a fault its output is right.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import faust
from redis.asyncio import Redis

from stream.encoder import Encoder
from stream.engine import Engine
from stream.records import LoggedRecord
from stream.series.table import SeriesTable
from stream.worker import load_engine
from tidecast.settings import Settings, load_settings
from tidecast.topics import Topics

AT_ONCE: Final = 500
WITHIN_S: Final = 0.05


class Tables:
    """The table of each partition, read from Redis when it is first asked for."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._redis: Any = Redis.from_url(settings.redis.url.get_secret_value())
        self._tables: dict[int, SeriesTable] = {}

    async def of(self, partition: int) -> SeriesTable:
        """The table of a partition."""
        if partition not in self._tables:
            held = await self._redis.hgetall(self._key(partition))
            table = self._tables[partition] = self._engine.new_table()
            table.load({series.decode(): row for series, row in held.items()})
        return self._tables[partition]

    async def save(self, partition: int, rows: dict[str, bytes]) -> None:
        """Write changed rows."""
        if rows:
            await self._redis.hset(self._key(partition), mapping=rows)

    def _key(self, partition: int) -> str:
        """Where the product keeps the rows, so that one verifier reads both."""
        name = self._settings.stream.name
        return f"tidecast:{name}:{{{Topics.of(name).events}/{partition}}}:rows"


def build_app() -> faust.App:
    """The app, ready for `main()`."""
    settings = load_settings()
    engine, topics = load_engine(settings), Topics.of(settings.stream.name)
    app = _empty_app(settings)
    events = app.topic(topics.events, key_serializer="raw", value_serializer="raw")
    forecasts = app.topic(topics.forecasts, key_serializer="raw", value_serializer="raw")
    tables = Tables(engine, settings)

    async def answer(partition: int, records: Sequence[LoggedRecord]) -> None:
        table = await tables.of(partition)
        answers = engine.apply(table, records)
        encoder = Encoder(engine.manifest, engine.stream, topics.events, partition)
        messages = encoder.encode(records, answers)
        for key, value in zip(messages.keys, messages.values, strict=True):
            await forecasts.send(key=key, value=value, partition=partition)
        await tables.save(partition, table.dump(answers.touched))

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def forecast(stream: Any) -> None:  # noqa: ANN401 - Faust is untyped here
        async for taken in stream.take_events(AT_ONCE, within=WITHIN_S):
            messages = sorted((one.message for one in taken), key=lambda one: one.partition)
            for partition, part in groupby(messages, key=lambda one: one.partition):
                await answer(partition, [_record(message) for message in part])

    return app


def _empty_app(settings: Settings) -> faust.App:
    return faust.App(
        settings.stream.name,
        broker=f"kafka://{settings.kafka.bootstrap_servers}",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.worker.instance,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=tempfile.mkdtemp(),
    )


def _record(message: Any) -> LoggedRecord:  # noqa: ANN401
    moment_ms = round(message.timestamp * 1000)
    return LoggedRecord(message.offset, moment_ms, message.key, message.value)


if __name__ == "__main__":
    build_app().main()
