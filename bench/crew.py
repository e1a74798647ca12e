"""Workers that are up and share a stream, given one part of the workload after the other.

They stand still while a part is published, so that all of it is there when they begin.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

import psutil

from bench.backlog import publish_written, written_backlog
from bench.group import await_members
from bench.outputs import saved
from bench.processes import (
    WORKER,
    BenchError,
    Program,
    expect,
    python,
    running,
    server_programs,
    worker_environment,
)
from bench.race import POLL_S, SLOWEST_PER_S, START_LIMIT_S
from bench.streams import Ends, total
from tidecast.local import LocalServers
from tidecast.settings import ENVIRONMENT_PREFIX, Settings
from tidecast.topics import Topics

WORKERS: Final = "workers"
SESSION_S: Final = 60
"""A worker that stands still while a part is published is not to be taken for dead."""
SAVE_LIMIT_S: Final = 30.0
"""A checkpoint follows a forecast within the worker's interval, a fraction of a second."""


class Look(NamedTuple):
    """One look at the clock and at the processor time used until then.

    cpu_s: of all workers together, and of each server. busy_s: of the machine's cores together.
    """

    at_s: float
    cpu_s: Mapping[str, float]
    busy_s: float


class Work(NamedTuple):
    """A part of the workload, answered.

    cpu_s: processor seconds of all workers together, and of each server.
    busy_cores: how many of the machine's cores were busy, whoever it was.
    """

    events: int
    seconds: float
    cpu_s: Mapping[str, float]
    busy_cores: float

    @property
    def per_s(self) -> float:
        """Forecasts per second."""
        return self.events / self.seconds

    def us_per_event(self, program: str) -> float:
        """Processor time of a program for each event, in microseconds."""
        return self.cpu_s[program] / self.events * 1e6


class Crew:
    """The workers of a stream that is answered from its first event on."""

    def __init__(self, settings: Settings, workers: list[Program], servers: LocalServers) -> None:
        self._settings = settings
        self._workers = workers
        self._servers = server_programs(servers)
        self._events = 0
        self._ends = Ends(settings, Topics.of(settings.stream.name).forecasts)

    def memory_bytes(self) -> int:
        """The memory of all workers together."""
        return sum(worker.usage().memory_bytes for worker in self._workers)

    def answer(self, events: int, series: int) -> Work:
        """Have the workload's next events answered and saved.

        Raises BenchError when a worker ends, or when forecasts or checkpoints do not come.
        """
        backlog = written_backlog(self._settings, events, series, self._events)
        for worker in self._workers:
            worker.pause()
        publish_written(self._settings, backlog)
        self._events += events
        before = self._look()
        for worker in self._workers:
            worker.resume()
        limit_s = START_LIMIT_S + events / SLOWEST_PER_S
        self._await(lambda: self._ends.total() >= self._events, limit_s)
        after = self._look()
        self._await(lambda: self._saved_events() == self._events, SAVE_LIMIT_S)
        return _between(before, after, events)

    def check(self, series: int) -> None:
        """Raise BenchError unless each event so far has one answer and each series a window."""
        topics = Topics.of(self._settings.stream.name)
        expect("forecasts", self._ends.total(), self._events)
        expect("rejected", total(self._settings, topics.rejected), 0)
        expect("windows saved", asyncio.run(saved(self._settings)).windows, series)

    def _saved_events(self) -> int:
        return asyncio.run(saved(self._settings)).events

    def _look(self) -> Look:
        cpu_s = {WORKERS: sum(worker.usage().cpu_s for worker in self._workers)}
        cpu_s |= {name: server.usage().cpu_s for name, server in self._servers.items()}
        times = psutil.cpu_times()
        return Look(time.monotonic(), cpu_s, times.user + times.nice + times.system)

    def _await(self, done: Callable[[], bool], limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not done():
            for worker in self._workers:
                worker.usage()
            if time.monotonic() > deadline:
                raise BenchError(
                    f"{self._ends.total():,} of {self._events:,} forecasts after a long wait, "
                    f"{self._saved_events():,} events saved"
                )
            time.sleep(POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.__exit__()


@contextlib.contextmanager
def crew(servers: LocalServers, settings: Settings, folder: Path, size: int = 1) -> Iterator[Crew]:
    """So many workers for the length of the block, which begins when they share the partitions."""
    environment = {
        **worker_environment(settings),
        f"{ENVIRONMENT_PREFIX}WORKER__SESSION_S": f"{SESSION_S}",
    }
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(
                running(python(*WORKER), environment, folder / f"worker-{number}.log")
            )
            for number in range(size)
        ]
        await_members(settings, size)
        yield stack.enter_context(Crew(settings, workers, servers))


def _between(before: Look, after: Look, events: int) -> Work:
    seconds = after.at_s - before.at_s
    cpu_s = {name: after.cpu_s[name] - before.cpu_s[name] for name in after.cpu_s}
    return Work(events, seconds, cpu_s, (after.busy_s - before.busy_s) / seconds)
