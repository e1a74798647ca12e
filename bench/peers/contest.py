"""The peers in a run: prepared beforehand, raced one by one, compared with the worker."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.peers.environments import ImpossibleError
from bench.peers.job import Job
from bench.peers.registry import PEERS, Peer
from bench.processes import BenchError
from bench.race import Race, Racer, race
from bench.report import Figure, PeerResult
from bench.streams import timed_topic
from tidecast.settings import Settings
from tidecast.topics import Topics

ALL = "all"


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


def entrants(names: Sequence[str]) -> list[Entrant]:
    """Prepare the peers of these names, all of them for `all`. Raises BenchError for a stranger."""
    if strangers := set(names) - {*PEERS, ALL}:
        known = ", ".join([*PEERS, ALL])
        raise BenchError(f"no peer called {', '.join(sorted(strangers))}: there are {known}")
    return [_entrant(peer) for name, peer in PEERS.items() if {name, ALL} & set(names)]


def _entrant(peer: Peer) -> Entrant:
    try:
        return Entrant(peer, peer.prepare())
    except ImpossibleError as reason:
        return Entrant(peer, note=str(reason))


def race_peer(settings: Settings, entrant: Entrant, distance: Distance, logs: Path) -> Race:
    """Race a peer that is ready over the first events of the stream. Raises BenchError."""
    peer = entrant.peer
    with (
        timed_topic(settings, f"{settings.stream.name}.{peer.name}") as output,
        tempfile.TemporaryDirectory(prefix=f"tidecast-{peer.name}-") as folder,
    ):
        job = Job(
            broker=settings.kafka.bootstrap_servers,
            events=Topics.of(settings.stream.name).events,
            forecasts=output,
            partitions=settings.stream.partitions,
            model=settings.worker.model.absolute(),
            folder=Path(folder),
            parallelism=distance.parallelism if peer.threads else 1,
        )
        racer = Racer(
            command=entrant.command,
            environment=job.environment(),
            output=output,
            log=logs / f"{peer.name}.log",
            processes=1 if peer.threads else distance.parallelism,
        )
        return race(settings, racer, distance.events)


def compare(
    entrant: Entrant, events: int, worker: Sequence[Race], races: Sequence[Race]
) -> PeerResult:
    """What came out for a peer, and the worker's rate as a multiple of it, repeat by repeat."""
    pairs = list(zip(worker, races, strict=True)) if races else []
    figures = (
        Figure("forecasts_per_s", "forecasts per second", [one.per_s for one in races]),
        Figure("ratio", "ratio", [ours.per_s / theirs.per_s for ours, theirs in pairs], 1),
        Figure("warm_forecasts_per_s", "second half", [one.warm_per_s for one in races]),
        Figure(
            "warm_ratio",
            "ratio, second half",
            [ours.warm_per_s / theirs.warm_per_s for ours, theirs in pairs],
            1,
        ),
        Figure("cpu_s_per_million", "CPU s per million", [r.cpu_s_per_million for r in races], 1),
        Figure("peak_mb", "peak MB", [one.peak_bytes / 1e6 for one in races]),
    )
    peer = entrant.peer
    return PeerResult(
        name=peer.name,
        title=peer.title,
        language=peer.language,
        guarantees=peer.guarantees,
        events=events,
        figures=figures if races else (),
        note=entrant.note,
    )
