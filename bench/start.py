"""How long a worker takes from its process's start to its forecasts, without state and with."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from bench.crew import crew
from bench.machine import conditions
from bench.outputs import append_times
from bench.processes import WORKER, BenchError, python, running, worker_environment
from bench.report import Figure, Result
from bench.streams import Ends, fresh_stream
from bench.workload import BEGIN, series_ids
from tidecast.local import LocalServers
from tidecast.publisher import Publisher
from tidecast.settings import Settings
from tidecast.topics import Topics, partition_of

QUESTION: Final = "How long from the start of `tidecast worker` to its first forecast?"
LIMIT_S: Final = 60.0
POLL_S: Final = 0.05


@dataclass(frozen=True)
class Load:
    """stored: series that Redis holds when a worker starts on them."""

    stored: int = 100_000
    repeats: int = 3


class Start(NamedTuple):
    """Seconds from the start of the process to a forecast of the first partition, and of all.

    cpu_s: processor time of the worker until then.
    """

    first_s: float
    all_s: float
    cpu_s: float


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Start workers on an event that waits in each partition.

    Raises BenchError when the forecasts do not come.
    """
    found = conditions()
    empty = []
    for _ in range(load.repeats):
        with fresh_stream(servers) as settings:
            empty.append(_start(settings, 0, folder))
    with fresh_stream(servers) as settings:
        with crew(servers, settings, folder) as worker:
            worker.answer(load.stored, load.stored)
            worker.check(load.stored)
        stored = [_start(settings, slot, folder) for slot in range(1, load.repeats + 1)]
    return Result(
        bench="start",
        question=QUESTION,
        parameters={"partitions": settings.stream.partitions, "series in Redis": load.stored},
        figures=[
            *_figures("empty", "no state", empty),
            *_figures("stored", "series in Redis", stored),
        ],
        checked={"forecasts a start": settings.stream.partitions},
        conditions=found,
    )


def _figures(name: str, title: str, starts: list[Start]) -> list[Figure]:
    return [
        Figure(f"{name}_first_s", f"{title}: first forecast, s", [s.first_s for s in starts], 2),
        Figure(f"{name}_all_s", f"{title}: every partition, s", [s.all_s for s in starts], 2),
        Figure(f"{name}_cpu_s", f"{title}: processor time, s", [s.cpu_s for s in starts], 2),
    ]


def _start(settings: Settings, slot: int, folder: Path) -> Start:
    """Publish an event of the slot to each partition, then start a worker on them.

    The worker ends in good order, so the next one need not wait for its session.
    """
    topic, partitions = Topics.of(settings.stream.name).forecasts, settings.stream.partitions
    _publish(settings, slot)
    with Ends(settings, topic) as ends:
        wanted = ends.total() + partitions
        # The broker's clock times the forecasts; it runs on this machine.
        began_s = time.time()
        with running(
            python(*WORKER), worker_environment(settings), folder / "worker.log"
        ) as worker:
            while ends.total() < wanted:
                worker.usage()
                if time.time() > began_s + LIMIT_S:
                    raise BenchError(f"no forecast of each partition within {LIMIT_S:g} s")
                time.sleep(POLL_S)
            cpu_s = worker.usage().cpu_s
    times_ms = asyncio.run(append_times(settings, topic))[-partitions:].tolist()
    return Start(times_ms[0] / 1000 - began_s, times_ms[-1] / 1000 - began_s, cpu_s)


def _publish(settings: Settings, slot: int) -> None:
    partitions = settings.stream.partitions
    first_ids = {partition_of(name, partitions): name for name in reversed(series_ids(100))}
    moment = BEGIN + timedelta(seconds=slot)
    with Publisher(settings) as publisher:
        for series_id in first_ids.values():
            publisher.publish(series_id, 1.0, timestamp=moment)
