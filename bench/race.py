"""One program over one backlog: started, watched from outside until its output is there, timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.outputs import append_times
from bench.processes import (
    WORKER,
    BenchError,
    Program,
    Usage,
    python,
    running,
    worker_environment,
)
from bench.streams import Ends
from stream.grid import IntArray
from tidecast.settings import Settings
from tidecast.topics import Topics

POLL_S: Final = 0.2
"""How often the end offsets are looked at: a request of a millisecond, nothing is read."""
START_LIMIT_S: Final = 60.0
SLOWEST_PER_S: Final = 500
"""A program slower than this has stopped."""


@dataclass(frozen=True)
class Racer:
    """A program that turns events into forecasts.

    command: its program and arguments. output: the topic it writes. log: the file of its own
    output. processes: how many of it are started, to share the work.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    output: str
    log: Path
    processes: int = 1


class Race(NamedTuple):
    """How a racer did.

    per_s: over all that was wanted. warm_per_s: over the later half of it. cpu_s_per_million: its
    processor time from the first message to the last. peak_bytes: of all its processes.
    """

    per_s: float
    warm_per_s: float
    cpu_s_per_million: float
    peak_bytes: int


def race(settings: Settings, racer: Racer, wanted: int) -> Race:
    """Run the program until its output holds `wanted` messages.

    Raises BenchError when it ends, or when the messages do not come.
    """
    with Ends(settings, racer.output) as ends, started(racer) as programs:
        work = watch(programs, ends, wanted)
    times = asyncio.run(append_times(settings, racer.output))[:wanted]
    return Race(
        rate(times), rate(times[wanted // 2 :]), work.cpu_s / work.messages * 1e6, work.peak_bytes
    )


def worker_racer(settings: Settings, folder: Path, processes: int = 1) -> Racer:
    """Workers as a user starts them, every guarantee on. folder: where their logs go."""
    return Racer(
        command=python(*WORKER),
        environment=worker_environment(settings),
        output=Topics.of(settings.stream.name).forecasts,
        log=folder / "worker.log",
        processes=processes,
    )


@contextmanager
def started(racer: Racer) -> Iterator[list[Program]]:
    """The racer's processes for the length of the block."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(racer.command, racer.environment, log))
            for log in _logs(racer)
        ]


def rate(times_ms: IntArray) -> float:
    """Messages a second from the first append to the last: times_ms is [N], in order.

    What was appended first does not count: the time that it took lies before.
    """
    later = int((times_ms > times_ms[0]).sum())
    if later == 0:
        raise BenchError(f"{len(times_ms):,} messages came at once: too few to time")
    return 1000 * later / int(times_ms[-1] - times_ms[0])


class Effort(NamedTuple):
    """Processor time and messages from the first message on, and the most memory."""

    cpu_s: float
    messages: int
    peak_bytes: int


def watch(programs: Sequence[Program], ends: Ends, wanted: int) -> Effort:
    """What it took until `wanted` messages were there; a few more may have come by then.

    Raises BenchError when a program ends, or when the messages do not come.
    """
    deadline = time.monotonic() + START_LIMIT_S + wanted / SLOWEST_PER_S
    before = usage = usage_of(programs)
    peak_bytes = 0
    while (found := ends.total()) < wanted:
        usage = usage_of(programs)
        before = before if found else usage
        peak_bytes = max(peak_bytes, usage.memory_bytes)
        if time.monotonic() > deadline:
            raise BenchError(f"{found:,} of {wanted:,} messages after a long wait")
        time.sleep(POLL_S)
    usage = usage_of(programs)
    return Effort(usage.cpu_s - before.cpu_s, found, max(peak_bytes, usage.memory_bytes))


def usage_of(programs: Sequence[Program]) -> Usage:
    """Of all programs together. Raises BenchError when one of them has ended."""
    usages = [program.usage() for program in programs]
    return Usage(sum(usage.cpu_s for usage in usages), sum(usage.memory_bytes for usage in usages))


def _logs(racer: Racer) -> list[Path]:
    """A log for each process: a second one on the same log would have to wait for the first."""
    numbers = range(1, racer.processes + 1)
    return [racer.log.with_stem(f"{racer.log.stem}-{number}") for number in numbers]
