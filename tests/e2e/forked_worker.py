"""A worker forked from a process that has everything imported: a test then takes a second."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stream.worker import run
from tidecast import Forecast, Subscriber
from tidecast.settings import Settings

LIMIT_S: Final = 60.0

FORKS: Final = multiprocessing.get_context("forkserver")


def collect(subscriber: Subscriber, wanted: int) -> Mapping[str, Forecast]:
    """That many forecasts, by id."""
    found: dict[str, Forecast] = {}
    deadline = time.monotonic() + LIMIT_S
    while len(found) < wanted:
        assert time.monotonic() < deadline, f"{len(found)} of {wanted} forecasts"
        found |= {forecast.forecast_id: forecast for forecast in subscriber.poll(0.2)}
    return found


@contextmanager
def a_worker(settings: Settings, folder: Path) -> Iterator[None]:
    """A worker for the length of the block."""
    # A fork finds its work in this module: it is to import nothing that a worker does not need.
    FORKS.set_forkserver_preload([__name__])
    process = FORKS.Process(target=_work, args=(settings, folder / "worker.log"))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(LIMIT_S)


def _work(settings: Settings, log: Path) -> None:
    """The process's own work; its output goes to the log."""
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    raise SystemExit(run(settings))
