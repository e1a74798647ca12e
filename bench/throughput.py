"""How many forecasts a second workers make of a backlog, and what else people would use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.backlog import publish_backlog
from bench.jobs import Job, bundle_of
from bench.machine import conditions
from bench.outputs import distinct_forecasts, saved
from bench.peers.contest import ALL, Distance, Entrant, compare, entrants, race_peer
from bench.processes import expect
from bench.race import Race, race, worker_racer
from bench.report import Figure, Result
from bench.streams import fresh_stream, total, with_model
from tidecast.bundle import read_bundle
from tidecast.local import LocalServers
from tidecast.settings import Settings
from tidecast.topics import Topics

QUESTIONS: Final = {
    Job.THROUGHPUT: "How many forecasts a second {} make of a backlog{}?",
    Job.PEERS: "How {} compare with what people would use instead{}?",
}
USUAL_PEERS: Final = {Job.THROUGHPUT: ["stock-faust"], Job.PEERS: [ALL]}
OURS: Final = "worker"
"""Its name beside those of the peers."""


@dataclass(frozen=True)
class Load:
    """job: the bench that it is. events: of the backlog.

    peer_events: how many of them the slowest peer is timed on. peers: names, or `all`; None for
    those that are usual. workers: processes of ours; the cores that a peer may use.
    """

    job: Job
    events: int = 500_000
    series: int = 2_000
    peer_events: int = 20_000
    repeats: int = 3
    peers: Sequence[str] | None = None
    workers: int = 1

    @property
    def bench(self) -> str:
        """Its command: other series or workers are another question, and kept apart."""
        series = "" if self.series == Load.series else f" --series {self.series}"
        workers = "" if self.workers == Load.workers else f" --workers {self.workers}"
        return f"{self.job.value}{series}{workers}"

    @property
    def question(self) -> str:
        """In one line."""
        who = "does one worker" if self.workers == 1 else f"do {self.workers} workers"
        of_whom = "" if self.series == Load.series else f" of {self.series:,} series"
        return QUESTIONS[self.job].format(who, of_whom)

    def distance(self, entrant: Entrant) -> Distance:
        """How far a peer goes."""
        return Distance(min(self.events, self.peer_events * entrant.peer.pace), self.workers)


@dataclass(frozen=True)
class Course:
    """What every turn has in common. asked: the peers, prepared. model: the bundle for all."""

    servers: LocalServers
    load: Load
    asked: Sequence[Entrant]
    model: Path
    folder: Path


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Race the worker and its peers over the same backlogs, in turn, `repeats` times.

    Raises BenchError when a count is not exact: there is no figure without its proof.
    """
    asked = entrants(USUAL_PEERS[load.job] if load.peers is None else load.peers)
    course = Course(servers, load, asked, bundle_of(load.job, folder), folder)
    found = conditions()
    turns = [_turn(course, number) for number in range(load.repeats)]
    races = {name: [turn[name] for turn in turns] for name in turns[0]}
    return Result(
        bench=load.bench,
        question=load.question,
        parameters=_parameters(course),
        figures=_figures(races[OURS]),
        checked={"distinct forecasts": load.events, "rejected": 0, "windows saved": load.series},
        conditions=found,
        peers=[
            compare(one, load.distance(one).events, races[OURS], races.get(one.peer.name, []))
            for one in asked
        ],
    )


def _turn(course: Course, number: int) -> dict[str, Race]:
    """Race everyone once over one backlog, by name. Who goes first changes with the number."""
    load, folder = course.load, course.folder
    with fresh_stream(course.servers) as fresh:
        settings = with_model(fresh, course.model)
        publish_backlog(settings, load.events, load.series)
        starts = {OURS: partial(_race_worker, settings, load, folder)} | {
            one.peer.name: partial(race_peer, settings, one, load.distance(one), folder)
            for one in course.asked
            if one.command
        }
        names = list(starts)
        first = number % len(names)
        return {name: starts[name]() for name in names[first:] + names[:first]}


def _parameters(course: Course) -> dict[str, float | str]:
    manifest = read_bundle(course.model).manifest
    return {
        "events": course.load.events,
        "series": course.load.series,
        "partitions": Settings().stream.partitions,
        "model": f"{manifest.name}/{manifest.version}",
        "numbers a forecast": manifest.horizon * len(manifest.quantile_levels),
        "workers": course.load.workers,
    }


def _figures(races: Sequence[Race]) -> list[Figure]:
    return [
        Figure("forecasts_per_s", "forecasts per second", [one.per_s for one in races]),
        Figure(
            "warm_forecasts_per_s",
            "forecasts per second, second half",
            [one.warm_per_s for one in races],
        ),
        Figure(
            "cpu_s_per_million",
            "CPU seconds per million forecasts",
            [one.cpu_s_per_million for one in races],
            1,
        ),
        Figure("peak_mb", "peak memory of the worker, MB", [r.peak_bytes / 1e6 for r in races]),
    ]


def _race_worker(settings: Settings, load: Load, folder: Path) -> Race:
    """Race workers, then count what they left."""
    topics = Topics.of(settings.stream.name)
    found = race(settings, worker_racer(settings, folder, load.workers), load.events)
    expect("forecasts", total(settings, topics.forecasts), load.events)
    expect("distinct forecasts", asyncio.run(distinct_forecasts(settings)), load.events)
    expect("rejected", total(settings, topics.rejected), 0)
    state = asyncio.run(saved(settings))
    expect("events saved", state.events, load.events)
    expect("windows saved", state.windows, load.series)
    return found
