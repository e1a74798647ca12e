"""The worker process: start, run, stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

import faust
import psutil
import structlog

from stream.app import build_app, group_of
from stream.assignment import Assignment, Services
from stream.engine import Engine
from stream.kafka.admin import KafkaAdmin
from stream.kafka.log import KafkaEventLog
from stream.kafka.output import KafkaOutput
from stream.kafka.records import bound_batches
from stream.logs import configure_logs
from stream.onnx_predictor import OnnxPredictor
from stream.stale_timer import StaleTimer
from stream.state.redis_store import RedisStore
from stream.state.store_outage import RETRY_S
from stream.watch.health import Membership
from stream.watch.health_server import HealthServer
from stream.watch.memory import calm_garbage_collection, keep_giving_back, reuse_buffers
from stream.watch.monitor import Monitor, Sources
from stream.watch.offsets import KafkaOffsets
from stream.watch.watchdog import watch_loop
from tidecast.bundle import read_bundle
from tidecast.errors import EXIT_CANNOT_CONTINUE, BundleError, WatchdogError
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import Settings
from tidecast.topic_admin import require_topics
from tidecast.topics import Topics

STOP_S: Final = 10.0
"""Longest clean stop."""
TOO_LONG: Final = f"no clean stop within {STOP_S:g} s; what is not saved is worked again"

MIB: Final = 1 << 20

Around = Callable[[Services], Services]
"""Puts something between a worker and the outside world, such as a delay or a fault."""

log = structlog.get_logger("tidecast.worker")


def run(settings: Settings) -> int:
    """Run one worker until SIGTERM or SIGINT. Returns its exit code.

    Raises TidecastError when it cannot start. Leaves the process at once with code 70 when it
    meets what it cannot handle: nothing more is then acknowledged.
    """
    configure_logs(settings.log)
    return run_engine(settings, load_engine(settings), lambda services: services)


def run_engine(settings: Settings, engine: Engine, around: Around) -> int:
    """Run one worker of the given engine, as `run` does, with something around its services."""
    require_topics(settings)
    calm_garbage_collection()
    reuse_buffers()
    return asyncio.run(_run(settings, engine, around))


async def _run(settings: Settings, engine: Engine, around: Around) -> int:
    worker = Worker(settings, engine, around)
    try:
        await worker.start()
        await worker.run()
    finally:
        await worker.stop()
    return 0


class Worker:
    """One worker: its clients, its assignment and its Faust app."""

    def __init__(self, settings: Settings, engine: Engine, around: Around) -> None:
        """Raises RedisError for a URL that is none."""
        bound_batches()
        group = group_of(settings)
        client = aiokafka_options(settings.kafka)
        self._settings = settings
        self._store = RedisStore(settings.redis, group)
        self._output = KafkaOutput(client, Topics.of(settings.stream.name))
        self._admin = KafkaAdmin(client, group)
        self._log = KafkaEventLog(client, self._admin)
        services = Services(self._store, self._log, self._output)
        self._assignment = Assignment(engine, around(services), settings.worker)
        self._app: faust.App = build_app(settings, self._assignment, self._expelled, leave)
        self._offsets = KafkaOffsets(client, group)
        self._monitor = Monitor(self._sources(services), settings.worker)
        self._health = HealthServer(
            settings.health, self._monitor.health, successor=settings.worker.instance is not None
        )
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Reach every service, then join the group. Raises ServiceError or SettingsError."""
        await self._store.ping()
        await self._output.start()
        await self._health.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        await self._app.start()
        stream = self._settings.stream
        log.info(
            "worker started",
            action="start",
            stream=stream.name,
            model=str(self._settings.worker.model),
            step_seconds=stream.step_seconds,
        )

    async def run(self) -> None:
        """Claim partitions and save checkpoints until told to stop, or until a task fails."""
        stream = self._settings.stream
        stop = asyncio.create_task(self._stopping.wait(), name="wait for a signal")
        tasks = [
            asyncio.create_task(self._assignment.claim_assigned(), name="claim partitions"),
            asyncio.create_task(self._save_for_ever(), name="save checkpoints"),
            asyncio.create_task(self._monitor.run(), name="watch the worker"),
            asyncio.create_task(self._watch_faust(), name="watch Faust"),
            asyncio.create_task(keep_giving_back(), name="give memory back"),
        ]
        if stream.stale_after_slots:
            timer = StaleTimer(stream.step_seconds, self._assignment.forecast_quiet)
            tasks.append(asyncio.create_task(timer.run(), name="forecast quiet series"))
        unwatch_loop = watch_loop(self._settings.worker.stall_s, leave)
        await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        unwatch_loop()
        for task in tasks:
            if task.done() and (error := task.exception()):
                leave(error)
            task.cancel()

    async def stop(self) -> None:
        """Checkpoint, commit, close. Leaves with code 70 when that takes too long."""
        self._monitor.stopping()
        # A thread, since Faust waits for a broker that is away and heeds no cancellation.
        deadline = threading.Timer(STOP_S, leave, [WatchdogError(TOO_LONG)])
        deadline.daemon = True
        deadline.start()
        if self._app.started:
            log.info("worker stopping", action="stop")
            await self._assignment.release(list(self._assignment.committable()))
            await self._app.consumer.commit()
            await self._app.stop()
        for close in (
            *(self._output.stop, self._log.aclose, self._admin.aclose),
            *(self._store.close, self._offsets.close, self._health.stop),
        ):
            await close()
        deadline.cancel()

    async def _save_for_ever(self) -> None:
        while True:
            interval_s = self._settings.worker.checkpoint_interval_s
            # A checkpoint that fails has copied all rows changed since Redis went away.
            pause_s = RETRY_S if self._assignment.outage.seconds else interval_s
            await asyncio.sleep(pause_s)
            await self._assignment.save()

    async def _watch_faust(self) -> None:
        await self._app.wait()
        if not self._stopping.is_set():
            raise self._app.crash_reason or RuntimeError("Faust stopped by itself")

    def _sources(self, services: Services) -> Sources:
        process = psutil.Process()
        return Sources(
            state=self._assignment.state,
            membership=self._membership,
            offsets=self._offsets,
            log=services.log,
            memory_mb=lambda: process.memory_info().rss / MIB,
        )

    def _membership(self) -> Membership:
        membership: Membership = self._app.consumer.membership
        return membership

    async def _expelled(self) -> None:
        """Make way for a worker that was started in our place; otherwise we join again."""
        instance = self._settings.worker.instance
        if instance is not None and await self._admin.has_instance(instance):
            log.info("replaced by a new worker", action="replaced", instance=instance)
            sys.stderr.flush()
            # At once: what is not in a checkpoint is the new worker's to answer.
            os._exit(0)


def load_engine(settings: Settings) -> Engine:
    """The engine of the configured model. Raises BundleError when it does not fit the stream."""
    bundle = read_bundle(settings.worker.model)
    step = bundle.manifest.step_seconds
    if step not in (None, settings.stream.step_seconds):
        raise BundleError(
            f"{settings.worker.model} was trained for steps of {step} s, the stream has "
            f"{settings.stream.step_seconds} s; set stream.step_seconds or train for this step"
        )
    return Engine(OnnxPredictor(bundle), settings.stream)


def leave(error: BaseException) -> None:
    """End the process at once: after this error nothing may be saved or acknowledged."""
    log.critical(
        "cannot continue",
        action="leave",
        exit_code=EXIT_CANNOT_CONTINUE,
        error=str(error),
        exc_info=error,
    )
    sys.stderr.flush()
    os._exit(EXIT_CANNOT_CONTINUE)
