"""What is put under a steady load: our worker, nothing, and what people would use instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import c_client
from bench.pacing import publish
from bench.peers.contest import Entrant, Manner, peer_racer
from bench.race import Racer, worker_racer
from bench.reading import by_c_client, by_subscriber, events_by_c_client
from bench.steady import System
from tidecast.settings import Settings
from tidecast.topics import Topics

SOON: Final = Manner(low_latency=True)


@contextmanager
def _worker(settings: Settings, folder: Path) -> Iterator[Racer]:
    yield worker_racer(settings, folder)


@contextmanager
def _nothing(settings: Settings, folder: Path) -> Iterator[Racer]:
    """No process at all, so that events are their own answers."""
    events = Topics.of(settings.stream.name).events
    yield Racer((), {}, output=events, log=folder / "nothing.log", processes=0)


FLOOR: Final = System(
    key={"name": "floor", "clients": "librdkafka"},
    title="nothing between",
    note="the events themselves: what clients and broker cost",
    publish=c_client.publish,
    reader=events_by_c_client,
    racer=_nothing,
)

OURS: Final = System(
    key={"name": "tidecast", "clients": "tidecast"},
    title="Tidecast, Publisher and Subscriber",
    note="the same with our own clients, in Python",
    publish=publish,
    reader=by_subscriber,
    racer=_worker,
)

OURS_ALONE: Final = System(
    key={"name": "tidecast", "clients": "librdkafka"},
    title="Tidecast",
    note="Python; every event answered under one id, Valkey with cursor and fence",
    publish=c_client.publish,
    reader=by_c_client,
    racer=_worker,
)


def peer_system(one: Entrant) -> System:
    """A peer that is ready, set as its documentation advises for low latency."""
    peer = one.peer
    set_for_it = f"; {peer.low_latency}" * bool(peer.low_latency)
    return System(
        key={"name": peer.name, "version": peer.version, "clients": "librdkafka"},
        title=f"{peer.title} {peer.version}",
        note=f"{peer.language}; {peer.guarantees}{set_for_it}",
        publish=c_client.publish,
        reader=by_c_client,
        racer=lambda settings, folder: peer_racer(settings, one, SOON, folder),
    )
