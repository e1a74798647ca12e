"""How long from the publish call to the forecast in the subscriber's hands, at a steady rate.

Open loop: each publish call has its time on a schedule that waits for nobody. Counting from that
time, not from the call, charges a stall to every event that it delays (Gil Tene's "coordinated
omission"); both are reported.

Publisher, worker, Subscriber and servers share the machine, so a high rate may be too high for
them all. How busy each was says whose limit it is.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.machine import conditions
from bench.pacing import Pace, publish
from bench.processes import WORKER, BenchError, Program, python, running, worker_environment
from bench.report import Case, Figure, Result
from bench.statistics import PERCENTILES, percentiles
from bench.streams import fresh_stream
from bench.workload import BEGIN, series_ids
from stream.grid import AnyArray
from tidecast.bulk_publisher import BulkPublisher
from tidecast.local import LocalServers
from tidecast.publisher import Publisher
from tidecast.settings import Settings
from tidecast.subscriber import Subscriber

QUESTION: Final = "How long from the publish call to the forecast in the subscriber's hands?"
RATES: Final = (100, 1_000, 5_000, 20_000)
PROCESS_START_S: Final = 3.0
"""Until the publisher's and the subscriber's processes are up and connected."""
FIRST: Final = "first"
"""The series that shows when the worker is ready; it is not of the workload."""
FIRST_FORECAST_S: Final = 60.0
LAST_FORECAST_S: Final = 10.0
"""A forecast counts as lost when all events are due and none has come for so long."""
POLL_S: Final = 0.1


@dataclass(frozen=True)
class Load:
    """rates: events per second, each run for itself; the first `warm_s` seconds do not count."""

    rates: tuple[int, ...] = RATES
    seconds: int = 30
    series: int = 1_000
    warm_s: int = 5
    repeats: int = 1

    @property
    def paces(self) -> list[Pace]:
        """One for each rate."""
        return [Pace(rate, self.seconds, self.series, self.warm_s) for rate in self.rates]


class Received(NamedTuple):
    """times_s: when each event's forecast came [events], NaN for none. repeats: those dropped.

    busy: the subscriber's share of a core.
    """

    times_s: AnyArray
    repeats: int
    busy: float


class Run(NamedTuple):
    """Latencies of the counted events in seconds [N], by where the count begins.

    busy: the share of a core that each program used, from the first event on.
    """

    from_schedule: AnyArray
    from_call: AnyArray
    busy: dict[str, float]


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Run a warm worker, a publisher and a subscriber, each in its own process, at each rate.

    Raises BenchError when a forecast is missing or comes twice.
    """
    found = conditions()
    runs = {pace: [_run(servers, pace, folder) for _ in range(load.repeats)] for pace in load.paces}
    return Result(
        bench="latency",
        question=QUESTION,
        parameters={"seconds": load.seconds, "series": load.series},
        figures=[],
        checked={"forecasts": sum(pace.events for pace in runs), "lost": 0, "repeats": 0},
        conditions=found,
        cases=[_case(pace, of_pace) for pace, of_pace in runs.items()],
    )


def _case(pace: Pace, runs: list[Run]) -> Case:
    return Case(
        key={"events_per_s": pace.rate, "publisher": pace.publisher.__name__},
        title=f"{pace.rate:,} events/s{', in bulk' * (pace.publisher is BulkPublisher)}",
        figures=[
            *_figures("", "", [run.from_schedule for run in runs]),
            *_figures("call_", ", from the call itself", [run.from_call for run in runs]),
            *(
                Figure(f"{name}_busy", f"{name}, share of a core", [r.busy[name] for r in runs], 2)
                for name in runs[0].busy
            ),
        ],
    )


def _figures(prefix: str, suffix: str, latencies: list[AnyArray]) -> list[Figure]:
    found = [percentiles(seconds * 1000) for seconds in latencies]
    return [
        Figure(
            f"{prefix}{name}_ms",
            f"{name.replace('_', '.')}, ms{suffix}",
            [values[name] for values in found],
            1,
        )
        for name in PERCENTILES
    ]


def _run(servers: LocalServers, pace: Pace, folder: Path) -> Run:
    spawn = multiprocessing.get_context("spawn")
    with (
        fresh_stream(servers) as settings,
        running(python(*WORKER), worker_environment(settings), folder / "worker.log") as worker,
        ProcessPoolExecutor(2, spawn) as pool,
    ):
        await_first_forecast(settings, worker)
        start_s = time.monotonic() + PROCESS_START_S
        subscriber = pool.submit(receive, settings, pace, start_s)
        publisher = pool.submit(publish, settings, pace, start_s)
        before_s = worker.usage().cpu_s
        published, received = publisher.result(), subscriber.result()
        worker_busy = (worker.usage().cpu_s - before_s) / (time.monotonic() - start_s)
    lost = int(np.isnan(received.times_s).sum())
    if lost or received.repeats:
        raise BenchError(f"{lost:,} forecasts lost, {received.repeats:,} repeated")
    counted = slice(pace.warm_events, None)
    return Run(
        (received.times_s - pace.schedule(start_s))[counted],
        (received.times_s - published.called_s)[counted],
        {"publisher": published.busy, "worker": worker_busy, "subscriber": received.busy},
    )


def await_first_forecast(settings: Settings, worker: Program) -> None:
    """Return when the worker has answered an observation, of a series of its own.

    Raises BenchError when the worker ends, or does not answer in time.
    """
    with Publisher(settings) as publisher, Subscriber(settings, start="earliest") as subscriber:
        publisher.publish(FIRST, 1.0, timestamp=BEGIN)
        deadline = time.monotonic() + FIRST_FORECAST_S
        while not subscriber.poll():
            worker.usage()
            if time.monotonic() > deadline:
                raise BenchError(f"no forecast within {FIRST_FORECAST_S:g} s of the start")


def receive(settings: Settings, pace: Pace, start_s: float) -> Received:
    """Take every forecast as it comes, until all are there or no more come."""
    number_of = {series_id: number for number, series_id in enumerate(series_ids(pace.series))}
    times_s = np.full(pace.events, np.nan)
    missing = pace.events
    last_s = start_s + pace.events / pace.rate
    busy_s = time.process_time()
    # From the start of the log: a subscriber that is up late then shows as late, not as lost.
    with Subscriber(settings, start="earliest") as subscriber:
        while missing and time.monotonic() < last_s + LAST_FORECAST_S:
            for forecast in subscriber.poll(POLL_S):
                last_s = max(last_s, time.monotonic())
                if forecast.series_id == FIRST:
                    continue
                slot = (forecast.origin - BEGIN) // timedelta(seconds=1)
                event = slot * pace.series + number_of[forecast.series_id]
                times_s[event] = time.monotonic()
                missing -= 1
    busy = (time.process_time() - busy_s) / (time.monotonic() - start_s)
    return Received(times_s, subscriber.repeats, busy)
