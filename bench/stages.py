"""What one event costs in each stage of the worker, by the size of the batches.

Busy is processor time, of all threads of the process. Wall is the time that passed: `fetch`,
`produce` and `checkpoint` also wait for their servers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.backlog import publish_backlog
from bench.line import STAGES, SUM, WHOLE, Line, Run
from bench.machine import conditions
from bench.processes import BenchError
from bench.report import Case, Figure, Result
from bench.streams import fresh_stream
from tidecast.local import LocalServers
from tidecast.settings import Settings

QUESTION: Final = "What does one event cost in each stage of the worker?"
TITLES: Final = {stage: stage for stage in STAGES} | {
    SUM: "sum of the stages",
    WHOLE: "the same through a partition",
}


@dataclass(frozen=True)
class Load:
    """events, series: of the backlog of all partitions together.

    batches: the most events of a batch, case by case, ascending; at least two.
    """

    events: int = 200_000
    series: int = 2_000
    repeats: int = 5
    batches: tuple[int, ...] = (2, 256, 4_096)


def measure(servers: LocalServers, load: Load) -> Result:
    """Take a partition of a backlog through every stage, `repeats` times from an empty table."""
    found = conditions()
    with fresh_stream(servers) as settings:
        publish_backlog(settings, load.events, load.series)
        runs = asyncio.run(_runs(settings, load))
    return Result(
        bench="stages",
        question=QUESTION,
        parameters={
            "series in the partition": load.series // settings.stream.partitions,
            "seconds between checkpoints": settings.worker.checkpoint_interval_s,
            "model": str(settings.worker.model),
        },
        figures=_parts(runs[load.batches[0]], runs[load.batches[-1]]),
        checked={"events": runs[load.batches[-1]][0].events},
        conditions=found,
        cases=[_case(size, of_size) for size, of_size in runs.items()],
    )


async def _runs(settings: Settings, load: Load) -> Mapping[int, Sequence[Run]]:
    """The runs by batch size, which take turns."""
    line = Line(settings)
    found: dict[int, list[Run]] = {size: [] for size in load.batches}
    async with line.connected():
        for _ in range(load.repeats):
            for size, runs in found.items():
                runs.append(await line.run(size))
    return found


def _case(size: int, runs: Sequence[Run]) -> Case:
    each = [run.events / run.batches for run in runs]
    return Case(
        key={"most_events_a_batch": size},
        title=f"batches of {size:,}",
        figures=[
            Figure("events_a_batch", "events a batch", each),
            *_figures([run.busy_us() for run in runs], "", "busy µs"),
            *_figures([run.wall_us() for run in runs], "_wall", "wall µs"),
        ],
    )


def _figures(spent: Sequence[Mapping[str, float]], suffix: str, unit: str) -> list[Figure]:
    """spent: µs per event by stage, for each run."""
    return [
        Figure(f"{name}{suffix}_us", f"{title}, {unit}", [us[name] for us in spent], 2)
        for name, title in TITLES.items()
    ]


def _parts(small: Sequence[Run], large: Sequence[Run]) -> list[Figure]:
    """What a batch costs, however large, and what each of its events costs beside that."""
    pairs = [_fixed_and_variable(*pair) for pair in zip(small, large, strict=True)]
    return [
        Figure("fixed_us_per_batch", "a batch, busy µs", [fixed for fixed, _ in pairs]),
        Figure("variable_us_per_event", "and each event, busy µs", [each for _, each in pairs], 2),
    ]


def _fixed_and_variable(small: Run, large: Run) -> tuple[float, float]:
    """Processor time in µs of a batch, and of an event in it: those that explain both runs.

    Raises BenchError when the batches of the two are equally large.
    """
    few, many = large.batches / large.events, small.batches / small.events
    if few == many:
        raise BenchError("batches of two sizes are compared: give more events")
    low, high = large.busy_us()[SUM], small.busy_us()[SUM]
    fixed = (high - low) / (many - few)
    return fixed, low - few * fixed
