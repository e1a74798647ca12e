"""How long from the publish call to the forecast in the subscriber's hands, at a steady rate.

Open loop: each publish call has its time on a schedule that waits for nobody. Counting from that
time, not from the call, charges a stall to every event that it delays (Gil Tene's "coordinated
omission"); both are reported.

Publisher, worker, Subscriber and servers share the machine, so a high rate may be too high for
them all. How busy each was says whose limit it is. `latency_beside` compares with other systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.jobs import Job, bundle_of
from bench.machine import conditions
from bench.pacing import Pace
from bench.report import RATE, Case, Figure, Result
from bench.statistics import PERCENTILES, percentiles
from bench.steady import Place, Run, run
from bench.systems import OURS
from stream.grid import AnyArray
from tidecast.bulk_publisher import BulkPublisher
from tidecast.local import LocalServers

QUESTION: Final = "How long from the publish call to the forecast in the subscriber's hands?"
RATES: Final = (100, 1_000, 5_000, 20_000)


@dataclass(frozen=True)
class Load:
    """rates: events per second, each run for itself; the first `warm_s` seconds do not count.

    backlog: events that are answered beforehand, as fast as they can be: enough for a virtual
    machine to compile what it runs.
    """

    rates: tuple[int, ...] = RATES
    seconds: int = 30
    series: int = 1_000
    warm_s: int = 5
    backlog: int = 20_000
    repeats: int = 1

    @property
    def paces(self) -> list[Pace]:
        """One for each rate."""
        return [
            Pace(rate, self.seconds, self.series, self.warm_s, self.backlog) for rate in self.rates
        ]


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Run a warm worker, a publisher and a subscriber, each in its own process, at each rate.

    Raises BenchError when a forecast is missing or comes twice.
    """
    found = conditions()
    place = Place(servers, bundle_of(Job.THROUGHPUT, folder), folder)
    return Result(
        bench="latency",
        question=QUESTION,
        parameters={"seconds": load.seconds, "series": load.series},
        figures=[],
        checked={"forecasts": sum(pace.events for pace in load.paces), "lost": 0, "repeats": 0},
        conditions=found,
        cases=[
            _case(pace, [run(place, OURS, pace) for _ in range(load.repeats)])
            for pace in load.paces
        ],
    )


def _case(pace: Pace, runs: Sequence[Run]) -> Case:
    return Case(
        key={RATE: pace.rate, "publisher": pace.publisher.__name__},
        title=f"{pace.rate:,} events/s{', in bulk' * (pace.publisher is BulkPublisher)}",
        figures=[
            *latencies("", "", [run.from_schedule for run in runs]),
            *latencies("call_", ", from the call itself", [run.from_call for run in runs]),
            *shares(runs),
        ],
    )


def latencies(prefix: str, suffix: str, found: Sequence[AnyArray]) -> list[Figure]:
    """The percentiles of seconds [N], of each repeat. prefix, suffix: of names and titles."""
    repeats = [percentiles(seconds * 1000) for seconds in found]
    return [
        Figure(
            f"{prefix}{name}_ms",
            f"{name.replace('_', '.')}, ms{suffix}",
            [values[name] for values in repeats],
            1,
        )
        for name in PERCENTILES
    ]


def shares(runs: Sequence[Run]) -> list[Figure]:
    """How busy each program was."""
    return [
        Figure(f"{name}_busy", f"{name}, cores", [run.busy[name] for run in runs], 2)
        for name in runs[0].busy
    ]
