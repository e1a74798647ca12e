"""One system under a steady load: publisher, system and reader, each in processes of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.backlog import publish_backlog
from bench.pacing import Pace, Publish, Published
from bench.processes import BenchError, Program, expect, server_programs
from bench.race import Racer, started, usage_of, watch
from bench.reading import Reader, Received
from bench.streams import Ends, fresh_stream, with_model
from stream.grid import AnyArray
from tidecast.local import LocalServers
from tidecast.settings import Settings

CONNECT_S: Final = 3.0
"""Until publisher and reader, whose processes are up, are connected."""


@dataclass(frozen=True, eq=False)
class System:
    """Who answers, who publishes to it, and who reads the answers.

    key: what tells it from others, as JSON names it. title, note: for people.
    racer: how it is started on a stream, for the length of a block.
    """

    key: Mapping[str, float | str]
    title: str
    note: str
    publish: Publish
    reader: Reader
    racer: Callable[[Settings, Path], AbstractContextManager[Racer]]


@dataclass(frozen=True)
class Place:
    """Where systems run, and with which model. folder: for their files."""

    servers: LocalServers
    model: Path
    folder: Path


class Run(NamedTuple):
    """Latencies of the counted events in seconds [N], by where the count begins.

    busy: the share of a core that each program used, from the first event on.
    """

    from_schedule: AnyArray
    from_call: AnyArray
    busy: dict[str, float]


def run(place: Place, system: System, pace: Pace) -> Run:
    """Have the system answer a backlog, to get warm, then give it the steady load.

    Raises BenchError when it ends, when an answer is missing, late by a minute, or comes twice.
    """
    with fresh_stream(place.servers) as fresh:
        settings = with_model(fresh, place.model)
        publish_backlog(settings, pace.backlog, pace.series)
        with (
            system.racer(settings, place.folder) as racer,
            started(racer) as programs,
            Ends(settings, racer.output) as ends,
        ):
            watch(programs, ends, pace.backlog)
            servers = server_programs(place.servers).items()
            watched = {"system": programs} | {name.lower(): [one] for name, one in servers}
            found = _pace(settings, system, racer.output, pace, watched)
            expect("answers", ends.total(), pace.backlog + pace.events)
    return found


def _pace(
    settings: Settings,
    system: System,
    topic: str,
    pace: Pace,
    watched: Mapping[str, Sequence[Program]],
) -> Run:
    with (
        _process_of(system.reader) as reading_process,
        _process_of(system.publish) as publishing_process,
    ):
        start_s = time.monotonic() + CONNECT_S
        reading = reading_process.submit(system.reader, settings, topic, pace, start_s)
        publishing = publishing_process.submit(system.publish, settings, pace, start_s)
        time.sleep(CONNECT_S)
        before = {name: usage_of(of_name).cpu_s for name, of_name in watched.items()}
        published, received = publishing.result(), reading.result()
        seconds = time.monotonic() - start_s
        after = {name: usage_of(of_name).cpu_s for name, of_name in watched.items()}
    _check(received)
    shares = {name: (after[name] - before[name]) / seconds for name in watched}
    return _counted(pace, start_s, published, received, shares)


@contextmanager
def _process_of(work: Callable[..., object]) -> Iterator[ProcessPoolExecutor]:
    """A process that is up, with all that the function imports."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(callable, work).result()
        yield pool


def _check(received: Received) -> None:
    lost = int(np.isnan(received.times_s).sum())
    if lost or received.repeats:
        raise BenchError(
            f"of {len(received.times_s):,} answers {lost:,} lost or a minute late, "
            f"{received.repeats:,} repeated"
        )


def _counted(
    pace: Pace, start_s: float, published: Published, received: Received, shares: dict[str, float]
) -> Run:
    counted = slice(pace.warm_events, None)
    return Run(
        (received.times_s - pace.schedule(start_s))[counted],
        (received.times_s - published.called_s)[counted],
        {"publisher": published.busy, "reader": received.busy, **shares},
    )
