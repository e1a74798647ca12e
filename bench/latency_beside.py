"""How long a forecast takes beside what people would use instead, in one run.

Publisher and reader, which are Kafka's C client, broker, model and events are the same for all. On
a small machine these cost as much as the systems do, so a floor is measured too, the events read as
they are; and once our own `Publisher` and `Subscriber` are in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.jobs import Job, bundle_of
from bench.latency import Load, latencies, shares
from bench.machine import conditions
from bench.pacing import Pace
from bench.peers.contest import Entrant, entrants
from bench.processes import BenchError
from bench.report import RATE, Case, Result
from bench.steady import Place, Run, System, run
from bench.systems import FLOOR, OURS, OURS_ALONE, peer_system
from tidecast.bundle import read_bundle
from tidecast.local import LocalServers

BENCH: Final = "latency --peer all"
QUESTION: Final = "How long does a forecast take beside what people would use instead?"
NO_PEERS: Final = (FLOOR, OURS_ALONE, OURS)
"""A run without figures of these has none at all."""


@dataclass
class Tried:
    """A system's runs so far; where one of them failed, there are none, and no more are tried."""

    system: System
    runs: list[Run] = field(default_factory=list)
    failure: str = ""

    def once_more(self, place: Place, pace: Pace) -> None:
        """Run it. Raises BenchError when it must not fail, and does."""
        if self.failure:
            return
        try:
            self.runs.append(run(place, self.system, pace))
        except BenchError as error:
            if self.system in NO_PEERS:
                raise
            self.failure = str(error)
            self.runs.clear()


def measure(servers: LocalServers, load: Load, peers: Sequence[str], folder: Path) -> Result:
    """Give the worker, nothing at all and the peers of these names the same load, in turn.

    A peer that ends, loses an answer, repeats one or cannot keep up has a row that says so, without
    figures. Raises BenchError when the worker does, or for a stranger among the names.
    """
    asked = entrants(peers)
    place = Place(servers, bundle_of(Job.PEERS, folder), folder)
    found = conditions()
    turns = {pace: _turns(place, pace, asked, load.repeats) for pace in load.paces}
    own = len(NO_PEERS)
    return Result(
        bench=BENCH,
        question=QUESTION,
        parameters=_parameters(load, place),
        figures=[],
        checked={"forecasts": sum(pace.events for pace in turns), "lost": 0, "repeats": 0},
        conditions=found,
        cases=[row(pace, one) for pace, tried in turns.items() for one in tried[:own]],
        peers=[
            case
            for pace, tried in turns.items()
            for case in [*(row(pace, one) for one in tried[own:]), *_not_run(pace, asked)]
        ],
    )


def _turns(place: Place, pace: Pace, asked: Sequence[Entrant], repeats: int) -> list[Tried]:
    """All systems at one rate. Who goes first changes from repeat to repeat."""
    ready = [peer_system(one) for one in asked if one.command]
    tried = [Tried(system) for system in [*NO_PEERS, *ready]]
    for number in range(repeats):
        first = number % len(tried)
        for one in tried[first:] + tried[:first]:
            one.once_more(place, pace)
    return tried


def row(pace: Pace, tried: Tried) -> Case:
    """What came out for a system at a rate."""
    system = tried.system
    found = [run.from_schedule for run in tried.runs]
    return Case(
        key={**system.key, RATE: pace.rate},
        title=f"{system.title}, {pace.rate:,}/s",
        figures=[*latencies("", "", found), *shares(tried.runs)] if found else (),
        note=f"no figure: {tried.failure}" if tried.failure else system.note,
    )


def _not_run(pace: Pace, asked: Sequence[Entrant]) -> list[Case]:
    return [
        Case(
            key={"name": one.peer.name, "version": one.peer.version, RATE: pace.rate},
            title=f"{one.peer.title} {one.peer.version}, {pace.rate:,}/s",
            figures=(),
            note=f"not run: {one.note}",
        )
        for one in asked
        if not one.command
    ]


def _parameters(load: Load, place: Place) -> dict[str, float | str]:
    manifest = read_bundle(place.model).manifest
    return {
        "seconds": load.seconds,
        "series": load.series,
        "answered beforehand": load.backlog,
        "model": f"{manifest.name}/{manifest.version}",
        "numbers a forecast": manifest.horizon * len(manifest.quantile_levels),
    }
