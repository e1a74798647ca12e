"""The benches of docs/performance.md in their order, each as it is by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from bench import (
    latency,
    latency_beside,
    models,
    publishing,
    series,
    stages,
    start,
    subscribing,
    throughput,
    workers,
)
from bench.jobs import Job
from bench.peers.contest import ALL
from bench.report import Result
from tidecast.local import LocalServers

Bench = Callable[[LocalServers, Path, int], Result]
"""Takes the servers, a folder for logs, and how often to measure."""


def _throughput(load: Callable[..., throughput.Load]) -> Bench:
    """A backlog answered as fast as can be; how often is left to be said."""
    return lambda servers, folder, repeats: throughput.measure(
        servers, load(repeats=repeats), folder
    )


BENCHES: Final[Mapping[str, Bench]] = {
    "throughput": _throughput(partial(throughput.Load, Job.THROUGHPUT)),
    "throughput --series 10": _throughput(partial(throughput.Load, Job.THROUGHPUT, series=10)),
    "peers": _throughput(partial(throughput.Load, Job.PEERS)),
    "peers --workers 2": _throughput(partial(throughput.Load, Job.PEERS, workers=2)),
    "workers": lambda servers, folder, repeats: workers.measure(
        servers, workers.Load(repeats=repeats), folder
    ),
    "latency": lambda servers, folder, repeats: latency.measure(
        servers, latency.Load(repeats=repeats), folder
    ),
    "latency --peer all": lambda servers, folder, repeats: latency_beside.measure(
        servers, latency.Load(rates=(1_000,), repeats=repeats), [ALL], folder
    ),
    "stages": lambda servers, _, repeats: stages.measure(servers, stages.Load(repeats=repeats)),
    "models": lambda _, __, repeats: models.measure(models.Load(repeats=repeats)),
    "series": lambda servers, folder, repeats: series.measure(
        servers, series.Load(repeats=repeats), folder
    ),
    "start": lambda servers, folder, repeats: start.measure(
        servers, start.Load(repeats=repeats), folder
    ),
    "publish": lambda servers, folder, repeats: publishing.measure(
        servers, publishing.Load(repeats=repeats), folder
    ),
    "subscribe": lambda servers, folder, repeats: subscribing.measure(
        servers, subscribing.Load(repeats=repeats), folder
    ),
}
