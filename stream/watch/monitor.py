"""The task that looks at the worker from outside: facts for its health, food for its watchdog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol

import structlog

from stream.event_log import EventLog
from stream.state.checkpoint import TopicPartition
from stream.watch.health import AssignmentState, Facts, Health, Membership, Offsets, judge, lag_of
from stream.watch.watchdog import Watchdog
from tidecast.errors import KafkaError, WatchdogError
from tidecast.settings import WorkerSettings

LOOK_S: Final = 2.0
"""Pause between two looks: as old as a lag in a health report may be."""

READ_S: Final = 10.0
"""Longest search for an event that waits."""

log = structlog.get_logger("tidecast.monitor")


class OffsetSource(Protocol):
    """Where Kafka stands; `offsets` has the real one."""

    async def of(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, Offsets]:
        """Ends and commits of the partitions. Raises KafkaError when Kafka does not answer."""
        ...


class Sources(NamedTuple):
    """Whom the monitor asks."""

    state: Callable[[], AssignmentState]
    membership: Callable[[], Membership]
    offsets: OffsetSource
    log: EventLog
    memory_mb: Callable[[], float]


class Monitor:
    """Looks every `LOOK_S`; `run` ends with an error when the worker is of no more use."""

    def __init__(
        self,
        sources: Sources,
        worker: WorkerSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._worker = worker
        self._clock = clock
        self._watchdog = Watchdog(worker.stall_s)
        self._kafka: Mapping[TopicPartition, Offsets] = {}
        self._answered_s = self._looked_s = clock()
        self._silent = False
        self._stopping = False

    def stopping(self) -> None:
        """The worker has been told to stop."""
        self._stopping = True

    def health(self) -> Health:
        """The verdict of this moment."""
        return judge(self._facts())

    async def run(self) -> None:
        """Look for ever. Raises WatchdogError, or StateError for events that are gone."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Ask Kafka, then judge. Raises as `run` does."""
        await self._ask_kafka()
        self._looked_s = self._clock()
        facts = self._facts()
        found = self._watchdog.look(facts, self._looked_s)
        for place in found.uncommitted:
            raise WatchdogError(f"checkpoints of {place} advance, its commit {self._stands_still}")
        for place in found.stalled:
            if await self._event_waits(place, facts):
                lag = lag_of(place, facts)
                raise WatchdogError(f"{lag} events of {place} wait, its work {self._stands_still}")
        limit, memory = self._worker.memory_mb, self._sources.memory_mb()
        if limit is not None and memory > limit:
            raise WatchdogError(f"{memory:.0f} MiB in memory, worker.memory_mb is {limit}")

    @property
    def _stands_still(self) -> str:
        return f"has stood still for {self._worker.stall_s:g} s (worker.stall_s)"

    async def _ask_kafka(self) -> None:
        try:
            self._kafka = await self._sources.offsets.of(self._sources.membership().assigned)
        except KafkaError as error:
            if not self._silent:
                log.warning("waiting for Kafka", action="kafka_silent", error=str(error))
            self._silent = True
        else:
            if self._silent:
                away_s = self._clock() - self._answered_s
                log.info("Kafka answers", action="kafka_up", seconds=round(away_s, 1))
            self._silent = False
            self._answered_s = self._clock()

    async def _event_waits(self, place: TopicPartition, facts: Facts) -> bool:
        """Whether there is an event where we stand; a log may end in offsets without one.

        Raises StateError when retention has passed what was never read.
        """
        events, held = self._sources.log, facts.state.held.get(place)
        try:
            async with asyncio.timeout(READ_S):
                start, end, committed = await events.bounds(place)
                reached = held.cursor if held else max(committed or 0, start)
                async for _ in events.read(place, reached, end):
                    return True
        except (KafkaError, TimeoutError) as error:
            log.warning("waiting for Kafka", action="kafka_silent", error=repr(error))
        return False

    def _facts(self) -> Facts:
        now_s = self._clock()
        return Facts(
            state=self._sources.state(),
            membership=self._sources.membership(),
            kafka=self._kafka,
            kafka_silent_s=now_s - self._answered_s if self._silent else 0.0,
            unwatched_s=now_s - self._looked_s,
            stopping=self._stopping,
        )
