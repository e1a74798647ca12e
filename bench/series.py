"""What a series costs: processor time for each event, and memory, when there are more and more.

At each size one worker begins with an empty stream. The first slot, an event for each series, makes
the windows and warms everything; it is not timed. Then come `least_events` events, in whole slots:
300 slots at 1,000 series, one slot at 1,000,000, where no event finds its window in a cache.
Memory is what worker and Redis hold at the end, when all is saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.crew import WORKERS, crew
from bench.machine import conditions
from bench.outputs import redis_bytes
from bench.processes import BenchError
from bench.report import Case, Figure, Result
from bench.streams import fresh_stream
from tidecast.local import LocalServers

QUESTION: Final = "What does a series cost, in processor time and in memory?"
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Load:
    """sizes: numbers of series, at least two. least_events: timed at each size."""

    sizes: tuple[int, ...] = SIZES
    least_events: int = 300_000
    repeats: int = 1

    def events(self, size: int) -> int:
        """How many events are timed at a size: whole slots of all series."""
        return -(-self.least_events // size) * size


class Cost(NamedTuple):
    """What was seen at one size; `base` is the worker's memory before the first event."""

    us_per_event: float
    per_s: float
    base_bytes: int
    worker_bytes: int
    redis_bytes: int


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Run a worker at each size. Raises BenchError when a count is not exact."""
    sizes = sorted(set(load.sizes))
    if len(sizes) < 2:
        raise BenchError("costs are compared between sizes: give at least two")
    found = conditions()
    costs = {
        size: [_cost(servers, load, size, folder) for _ in range(load.repeats)] for size in sizes
    }
    return Result(
        bench="series",
        question=QUESTION,
        parameters={"events timed at a size, at least": load.least_events},
        figures=_figures(costs[sizes[0]], costs[sizes[-1]], sizes[-1] - sizes[0]),
        checked={"events": sum(size + load.events(size) for size in sizes), "series": sum(sizes)},
        conditions=found,
        cases=[_case(size, costs[size]) for size in sizes],
    )


def _cost(servers: LocalServers, load: Load, size: int, folder: Path) -> Cost:
    with fresh_stream(servers) as settings, crew(servers, settings, folder) as worker:
        base, redis_before = worker.memory_bytes(), redis_bytes(settings)
        worker.answer(size, size)
        work = worker.answer(load.events(size), size)
        worker.check(size)
        return Cost(
            work.us_per_event(WORKERS),
            work.per_s,
            base,
            worker.memory_bytes(),
            redis_bytes(settings) - redis_before,
        )


def _figures(smallest: list[Cost], largest: list[Cost], more: int) -> list[Figure]:
    """Figures of the ends: the largest size has so many series `more` than the smallest."""
    ends = list(zip(smallest, largest, strict=True))
    return [
        Figure(
            "cost_ratio",
            "cost of an event, largest to smallest size",
            [large.us_per_event / small.us_per_event for small, large in ends],
            2,
        ),
        Figure(
            "base_mb",
            "memory of a worker without series, MB",
            [cost.base_bytes / 1e6 for pair in ends for cost in pair],
        ),
        Figure(
            "worker_bytes_per_series",
            "bytes of worker memory per series, between the two",
            [(large.worker_bytes - small.worker_bytes) / more for small, large in ends],
        ),
        Figure(
            "redis_bytes_per_series",
            "bytes of Redis memory per series, between the two",
            [(large.redis_bytes - small.redis_bytes) / more for small, large in ends],
        ),
    ]


def _case(size: int, costs: list[Cost]) -> Case:
    def figure(name: str, title: str, values: list[float], digits: int = 0) -> Figure:
        return Figure(name, title, values, digits)

    return Case(
        key={"series": size},
        title=f"{size:,} series",
        figures=[
            figure("us_per_event", "worker, µs per event", [c.us_per_event for c in costs], 1),
            figure("forecasts_per_s", "forecasts per second", [c.per_s for c in costs]),
            figure("worker_mb", "memory of the worker, MB", [c.worker_bytes / 1e6 for c in costs]),
            figure(
                "redis_bytes_each",
                "bytes of Redis memory per series",
                [c.redis_bytes / size for c in costs],
            ),
        ],
    )
