"""How many forecasts a second `tidecast subscribe --json` hands on from a full topic."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bench.crew import crew
from bench.machine import conditions
from bench.processes import BenchError, expect, worker_environment
from bench.report import Figure, Result
from bench.streams import fresh_stream
from tidecast.local import LocalServers
from tidecast.settings import Settings
from tidecast.subscriber import POLL_RECORDS

QUESTION: Final = "How many forecasts a second does `tidecast subscribe --json` hand on?"
READ_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Load:
    """Forecasts that a worker has left on the topic; more than one poll brings."""

    forecasts: int = 300_000
    series: int = 2_000
    repeats: int = 3


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Read the same forecasts through a pipe, `repeats` times.

    Raises BenchError when a line is missing or there are too few forecasts to time.
    """
    if load.forecasts <= POLL_RECORDS:
        raise BenchError(f"{load.forecasts:,} forecasts may come at once; give many more")
    found = conditions()
    with fresh_stream(servers) as settings:
        with crew(servers, settings, folder) as worker:
            worker.answer(load.forecasts, load.series)
        rates = [_rate(settings, load.forecasts) for _ in range(load.repeats)]
    return Result(
        bench="subscribe",
        question=QUESTION,
        parameters={"forecasts": load.forecasts, "series": load.series},
        figures=[Figure("forecasts_per_s", "forecasts per second, topic to pipe", rates)],
        checked={"lines": load.forecasts},
        conditions=found,
    )


def _rate(settings: Settings, forecasts: int) -> float:
    """Lines a second from the first byte on; those of the first poll were read before it."""
    options = ("--json", "--from-start", "--limit", str(forecasts))
    command = (sys.executable, "-m", "tidecast", "subscribe", *options)
    environment = os.environ | worker_environment(settings)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as reader:
        assert reader.stdout is not None
        first = reader.stdout.read(1)
        began_s = time.perf_counter()
        lines = first.count(b"\n") + _count_lines(reader.stdout)
        taken_s = time.perf_counter() - began_s
    expect("exit code of `tidecast subscribe`", reader.returncode, 0)
    expect("lines", lines, forecasts)
    return (forecasts - POLL_RECORDS) / taken_s


def _count_lines(pipe: IO[bytes]) -> int:
    lines = 0
    while part := pipe.read(READ_BYTES):
        lines += part.count(b"\n")
    return lines
