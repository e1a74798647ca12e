"""The peers in a run: prepared beforehand, raced one by one, compared with the worker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.peers.environments import ImpossibleError
from bench.peers.python.job import Job
from bench.peers.registry import PEERS, Peer
from bench.processes import BenchError
from bench.race import Race, Racer, race
from bench.report import Case, Figure
from bench.streams import timed_topic
from tidecast.settings import Settings
from tidecast.topics import Topics

ALL: Final = "all"
"""In place of every name."""


class Entrant(NamedTuple):
    """A peer that is ready, with the command that starts it; or the reason why there is none."""

    peer: Peer
    command: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Distance:
    """How far a peer goes: the first events of the backlog, on how many cores."""

    events: int
    parallelism: int


@dataclass(frozen=True)
class Manner:
    """How a peer works: on how many cores; whether to answer soon rather than much."""

    parallelism: int = 1
    low_latency: bool = False


def entrants(names: Sequence[str]) -> list[Entrant]:
    """Prepare the peers of these names, all of them for `all`. Raises BenchError for a stranger."""
    if strangers := set(names) - {*PEERS, ALL}:
        known = ", ".join([*PEERS, ALL])
        raise BenchError(f"no peer called {', '.join(sorted(strangers))}: there are {known}")
    return [entrant(peer) for name, peer in PEERS.items() if {name, ALL} & set(names)]


def entrant(peer: Peer) -> Entrant:
    """Prepare a peer, or note why that cannot be."""
    try:
        return Entrant(peer, peer.prepare())
    except ImpossibleError as reason:
        return Entrant(peer, note=str(reason))


def race_peer(settings: Settings, one: Entrant, distance: Distance, folder: Path) -> Race:
    """Race a peer that is ready over the first events of the stream. Raises BenchError."""
    with peer_racer(settings, one, Manner(distance.parallelism), folder) as racer:
        return race(settings, racer, distance.events)


@contextmanager
def peer_racer(settings: Settings, one: Entrant, manner: Manner, folder: Path) -> Iterator[Racer]:
    """How to start a peer that is ready; its topic and its files go with the block."""
    with (
        timed_topic(settings, f"{settings.stream.name}.{one.peer.name}") as output,
        tempfile.TemporaryDirectory(dir=folder) as own,
    ):
        yield racer_of(settings, one, manner, output, Path(own))


def racer_of(settings: Settings, one: Entrant, manner: Manner, output: str, folder: Path) -> Racer:
    """How to start a peer on the events of the stream. folder: an empty one for it alone."""
    state, scratch = folder / "state", folder / "scratch"
    state.mkdir()
    scratch.mkdir()
    job = Job(
        broker=settings.kafka.bootstrap_servers,
        events=Topics.of(settings.stream.name).events,
        forecasts=output,
        partitions=settings.stream.partitions,
        model=settings.worker.model.absolute(),
        folder=state,
        parallelism=manner.parallelism if one.peer.threads else 1,
        low_latency=manner.low_latency,
    )
    return Racer(
        command=one.command,
        environment=job.environment() | scratch_at(scratch),
        output=output,
        log=folder / f"{one.peer.name}.log",
        processes=1 if one.peer.threads else manner.parallelism,
    )


def scratch_at(folder: Path) -> dict[str, str]:
    """What sends temporary files there: a program that is ended clears nothing up."""
    return {"TMPDIR": str(folder), "JDK_JAVA_OPTIONS": f"-Djava.io.tmpdir={folder}"}


def compare(one: Entrant, events: int, worker: Sequence[Race], races: Sequence[Race]) -> Case:
    """What came out for a peer, and the worker's rate as a multiple of it, repeat by repeat."""
    peer = one.peer
    return Case(
        key={"name": peer.name, "version": peer.version, "events": events},
        title=f"{peer.title} {peer.version}",
        figures=_figures(worker, races) if races else (),
        note=f"not run: {one.note}" if one.note else f"{peer.language}; {peer.guarantees}",
    )


def _figures(worker: Sequence[Race], races: Sequence[Race]) -> list[Figure]:
    pairs = list(zip(worker, races, strict=True))
    warm = [ours.warm_per_s / theirs.warm_per_s for ours, theirs in pairs]
    return [
        Figure("forecasts_per_s", "forecasts/s", [race.per_s for race in races]),
        Figure("ratio", "ratio", [ours.per_s / theirs.per_s for ours, theirs in pairs], 2),
        Figure("warm_ratio", "second half", warm, 2),
        Figure("cpu_s_per_million", "CPU s/M", [race.cpu_s_per_million for race in races], 1),
        Figure("peak_mb", "MB", [race.peak_bytes / 1e6 for race in races]),
    ]
