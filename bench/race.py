"""One program over one backlog: started, watched from outside until its output is there, timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.outputs import append_times
from bench.processes import BenchError, Program, Usage, running
from bench.streams import Ends
from stream.grid import IntArray
from tidecast.settings import Settings

POLL_S: Final = 0.2
"""How often the end offsets are looked at: a request of a millisecond, nothing is read."""
START_LIMIT_S: Final = 60.0
SLOWEST_PER_S: Final = 500
"""A program slower than this has stopped."""


@dataclass(frozen=True)
class Racer:
    """A program that turns events into forecasts.

    module: what `python -m` runs. output: the topic it writes. log: the file of its own output.
    """

    module: Sequence[str]
    environment: Mapping[str, str]
    output: str
    log: Path


class Race(NamedTuple):
    """How a racer did. cpu_s: its processor time from the first message to the last."""

    per_s: float
    cpu_s: float
    peak_bytes: int


def race(settings: Settings, racer: Racer, wanted: int) -> Race:
    """Run the program until its output holds `wanted` messages.

    Raises BenchError when it ends, or when the messages do not come.
    """
    with (
        Ends(settings, racer.output) as ends,
        running(racer.module, racer.environment, racer.log) as program,
    ):
        before, after, peak_bytes = _watch(program, ends, wanted)
    times = asyncio.run(append_times(settings, racer.output))
    return Race(rate(times[:wanted]), after.cpu_s - before.cpu_s, peak_bytes)


def rate(times_ms: IntArray) -> float:
    """Messages a second from the first append to the last: times_ms is [N], in order.

    What was appended first does not count: the time that it took lies before.
    """
    later = int((times_ms > times_ms[0]).sum())
    if later == 0:
        raise BenchError(f"{len(times_ms):,} messages came at once: too few to time")
    return 1000 * later / int(times_ms[-1] - times_ms[0])


def _watch(program: Program, ends: Ends, wanted: int) -> tuple[Usage, Usage, int]:
    """Usage before the first message and after the last, and the most memory between."""
    deadline = time.monotonic() + START_LIMIT_S + wanted / SLOWEST_PER_S
    before = usage = program.usage()
    peak_bytes = 0
    while (found := ends.total()) < wanted:
        usage = program.usage()
        before = before if found else usage
        peak_bytes = max(peak_bytes, usage.memory_bytes)
        if time.monotonic() > deadline:
            raise BenchError(f"{found:,} of {wanted:,} messages after a long wait")
        time.sleep(POLL_S)
    usage = program.usage()
    return before, usage, max(peak_bytes, usage.memory_bytes)
