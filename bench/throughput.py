"""How many forecasts a second one worker makes of a backlog, and stock Faust beside it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.backlog import publish_backlog
from bench.machine import conditions
from bench.outputs import distinct_forecasts, saved
from bench.peers import stock_faust
from bench.processes import WORKER, expect, worker_environment
from bench.race import Race, Racer, race
from bench.report import Figure, Result
from bench.streams import fresh_stream, timed_topic, total
from tidecast.local import LocalServers
from tidecast.settings import Settings
from tidecast.topics import Topics

QUESTION: Final = "How many forecasts a second does one worker make of a backlog?"


@dataclass(frozen=True)
class Load:
    """events: of the backlog. peer_events: how many of them the slower peer is timed on."""

    events: int = 500_000
    series: int = 2_000
    peer_events: int = 20_000
    repeats: int = 3


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Race the worker and stock Faust over the same backlogs, in turn, `repeats` times.

    Raises BenchError when a count is not exact: there is no figure without its proof.
    """
    found = conditions()
    worker, peer = [], []
    for _ in range(load.repeats):
        with fresh_stream(servers) as settings:
            publish_backlog(settings, load.events, load.series)
            worker.append(_race_worker(settings, load, folder))
            peer.append(_race_stock_faust(settings, load, folder))
    return Result(
        bench="throughput",
        question=QUESTION,
        parameters={
            "events": load.events,
            "series": load.series,
            "partitions": settings.stream.partitions,
            "peer events": load.peer_events,
            "model": str(settings.worker.model),
        },
        figures=_figures(load, worker, peer),
        checked={"distinct forecasts": load.events, "rejected": 0, "windows saved": load.series},
        conditions=found,
    )


def _figures(load: Load, worker: list[Race], peer: list[Race]) -> list[Figure]:
    def per_million(races: list[Race], events: int) -> list[float]:
        return [one.cpu_s / events * 1e6 for one in races]

    ratios = [ours.per_s / theirs.per_s for ours, theirs in zip(worker, peer, strict=True)]
    return [
        Figure("forecasts_per_s", "forecasts per second", [one.per_s for one in worker]),
        Figure(
            "stock_faust_forecasts_per_s",
            "stock Faust, forecasts per second",
            [one.per_s for one in peer],
        ),
        Figure("ratio", "ratio", ratios, 1),
        Figure(
            "worker_cpu_s_per_million",
            "CPU seconds per million forecasts",
            per_million(worker, load.events),
            1,
        ),
        Figure(
            "stock_faust_cpu_s_per_million",
            "stock Faust, CPU seconds per million",
            per_million(peer, load.peer_events),
            1,
        ),
        Figure(
            "worker_peak_mb", "peak memory of the worker, MB", [r.peak_bytes / 1e6 for r in worker]
        ),
    ]


def _race_worker(settings: Settings, load: Load, folder: Path) -> Race:
    """Race a worker as a user starts it, every guarantee on; then count what it left."""
    topics = Topics.of(settings.stream.name)
    racer = Racer(
        module=WORKER,
        environment=worker_environment(settings),
        output=topics.forecasts,
        log=folder / "worker.log",
    )
    found = race(settings, racer, load.events)
    expect("forecasts", total(settings, topics.forecasts), load.events)
    expect("distinct forecasts", asyncio.run(distinct_forecasts(settings)), load.events)
    expect("rejected", total(settings, topics.rejected), 0)
    state = asyncio.run(saved(settings))
    expect("events saved", state.events, load.events)
    expect("windows saved", state.windows, load.series)
    return found


def _race_stock_faust(settings: Settings, load: Load, folder: Path) -> Race:
    """Race stock Faust over the first of the same events."""
    with timed_topic(settings, f"{settings.stream.name}.stock-faust") as output:
        racer = Racer(
            module=(stock_faust.__name__, "worker", "--loglevel", "warn"),
            environment={
                stock_faust.BROKER: settings.kafka.bootstrap_servers,
                stock_faust.EVENTS: Topics.of(settings.stream.name).events,
                stock_faust.FORECASTS: output,
                stock_faust.PARTITIONS: str(settings.stream.partitions),
                stock_faust.MODEL: str(settings.worker.model),
                stock_faust.FOLDER: str(folder / "stock-faust"),
            },
            output=output,
            log=folder / "stock-faust.log",
        )
        return race(settings, racer, load.peer_events)
