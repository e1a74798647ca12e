"""One worker process against two, on the same backlog, and where the processor time goes.

The workers are up, share the partitions and have answered a first slot before the clock begins.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.crew import Work, crew
from bench.machine import conditions
from bench.report import Case, Figure, Result
from bench.streams import fresh_stream
from tidecast.local import LocalServers

QUESTION: Final = "How much more do two worker processes than one?"
COUNTS: Final = (1, 2)


@dataclass(frozen=True)
class Load:
    """The timed events, after one for each series."""

    events: int = 500_000
    series: int = 2_000
    repeats: int = 3


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Have one worker answer a backlog, then two, `repeats` times in turn.

    Raises BenchError when a count is not exact.
    """
    found = conditions()
    turns = [
        {count: _work(servers, load, count, folder) for count in COUNTS}
        for _ in range(load.repeats)
    ]
    ratios = [turn[2].per_s / turn[1].per_s for turn in turns]
    return Result(
        bench="workers",
        question=QUESTION,
        parameters={"events": load.events, "series": load.series, "cores": os.cpu_count() or 0},
        figures=[Figure("ratio", "two workers to one, ratio", ratios, 2)],
        checked={"forecasts": load.events + load.series, "rejected": 0},
        conditions=found,
        cases=[_case(count, [turn[count] for turn in turns]) for count in COUNTS],
    )


def _work(servers: LocalServers, load: Load, count: int, folder: Path) -> Work:
    with fresh_stream(servers) as settings, crew(servers, settings, folder, count) as workers:
        workers.answer(load.series, load.series)
        work = workers.answer(load.events, load.series)
        workers.check(load.series)
    return work


def _case(count: int, works: list[Work]) -> Case:
    return Case(
        key={"workers": count},
        title=f"{count} worker{'s' * (count > 1)}",
        figures=[
            Figure("forecasts_per_s", "forecasts per second", [work.per_s for work in works]),
            Figure("busy_cores", "busy cores, all programs", [w.busy_cores for w in works], 2),
            *(
                Figure(
                    f"{program.lower()}_cpu_s_per_million",
                    f"{program}, CPU seconds per million forecasts",
                    [work.us_per_event(program) for work in works],
                    1,
                )
                for program in works[0].cpu_s
            ),
        ],
    )
