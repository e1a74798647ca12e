"""The Faust app: one agent that hands what is fetched of the events topic to the assignment."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any, Final

import faust
from faust.tables.manager import TableManager

from stream.assignment import Assignment, Batch
from stream.kafka.batch_transport import Transport
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import KafkaSettings, Settings
from tidecast.topics import Topics

COMMIT_S: Final = 1.0
"""Commits trail checkpoints by at most this; a restart skips the difference."""

REQUEST_S: Final = 30.0
"""How long an answer of the broker is waited for."""

IN_HAND: Final = 8
"""Batches answered at a time: some are before the model, which holds no lock of Python's, while the
forecasts of others are written, or are on their way to Kafka."""

FETCH_BYTES: Final = 512 * 1024
"""Most bytes of one partition in one answer of the broker. What it brought of a partition is handed
out whole before the next one's: with less there are several to work on at a time."""

BUFFERED_FETCHES: Final = 1
"""Fetches waiting for the agent, which holds one more: enough to keep it busy, few enough to bound
memory."""


def build_app(
    settings: Settings,
    assignment: Assignment,
    expelled: Callable[[], Awaitable[None]],
    leave: Callable[[Exception], None],
) -> faust.App:
    """The app, ready to start.

    `expelled` is awaited when Kafka no longer counts us among the members, before joining again.
    `leave` is called with what a batch could not be handled for.
    """
    app = _configured(settings)
    app.transport = Transport(app.conf.broker_consumer, app, assignment, expelled)
    events = app.topic(
        Topics.of(settings.stream.name).events, key_serializer="raw", value_serializer="raw"
    )

    room = asyncio.Semaphore(IN_HAND)
    in_hand: set[asyncio.Task[None]] = set()

    async def answer(batch: Batch) -> None:
        # An exception that reached Faust would acknowledge the batch and skip it.
        try:
            await assignment.handle(batch)
        except Exception as error:
            leave(error)
        finally:
            room.release()

    @app.agent(events, name="forecast", concurrency=1)  # type: ignore[untyped-decorator]
    async def forecast(stream: Any) -> None:  # noqa: ANN401 - Faust is untyped here
        async for fetch in stream:
            for batch in fetch:
                await room.acquire()
                # A task of its own: a rebalance or a stop may cancel the agent, but never a batch
                # that has begun. Small ones are done before the next is, and leave together.
                task = asyncio.create_task(answer(batch))
                in_hand.add(task)
                task.add_done_callback(in_hand.discard)

    return app


def _configured(settings: Settings) -> faust.App:
    """Faust's own settings, from ours."""
    return faust.App(
        group_of(settings),
        broker=[f"kafka://{server}" for server in _servers(settings.kafka)],
        broker_credentials=_credentials(settings.kafka),
        broker_commit_interval=COMMIT_S,
        broker_heartbeat_interval=0.3 * settings.worker.session_s,
        broker_session_timeout=settings.worker.session_s,
        # The producer's default would wait 20 minutes for a broker; a session's is to be shorter.
        broker_request_timeout=max(REQUEST_S, settings.worker.session_s),
        broker_max_poll_records=settings.worker.batch_records,
        consumer_max_fetch_size=FETCH_BYTES,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.worker.instance,
        stream_buffer_maxsize=BUFFERED_FETCHES,
        topic_allow_declare=False,
        topic_disable_leader=True,
        # Faust's web server would listen on every interface, without a password.
        web_enabled=False,
        TableManager=NoTables,
        datadir=tempfile.gettempdir(),
        autodiscover=False,
    )


class NoTables(TableManager):  # type: ignore[misc] # Faust is untyped here
    """We keep state elsewhere, so there is no second to be waited for tables to be declared."""

    async def on_start(self) -> None:
        """See TableManager."""
        await self._update_channels()
        await self.recovery.start()


def group_of(settings: Settings) -> str:
    """The consumer group, which also names the state in Redis."""
    return settings.worker.group or settings.stream.name


def _servers(kafka: KafkaSettings) -> list[str]:
    return [server.strip() for server in kafka.bootstrap_servers.split(",")]


def _credentials(kafka: KafkaSettings) -> faust.types.auth.CredentialsT | None:
    context = aiokafka_options(kafka).get("ssl_context")
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value() if kafka.password else None,
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)
