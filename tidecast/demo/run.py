"""The demo from start to end: prepare, start, show, stop."""

from __future__ import annotations

import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from tidecast.bundle import Manifest, read_bundle
from tidecast.demo.board import Board, Facts, Totals
from tidecast.demo.feed import Feed, FileFeed, LiveFeed
from tidecast.demo.show import announce, live_view, progress_lines, save_picture
from tidecast.demo.stage import Stage, stage
from tidecast.demo.traffic import Traffic
from tidecast.errors import BundleError, LocalServerError
from tidecast.local.ports import HOST

LOOK_S: Final = 0.25
"""How often the view is drawn anew, and everything looked after."""
FIRST_FORECAST_S: Final = 30.0
STRAGGLERS_S: Final = 5.0
"""How long the next forecast is waited for at the end: a hundred times its usual latency."""
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """What the user chose. file: None for this machine's metrics. seconds: None for ever."""

    model: Path
    file: Path | None = None
    speed: float | None = None
    seconds: float | None = None
    headless: bool = False
    picture: Path | None = None


def run(options: Options) -> Totals:
    """Run until the time or, without a view, the file is over, or until Ctrl-C.

    Raises TidecastError when something does not start or ends by itself; the logs then stay.
    Raises KeyboardInterrupt when stopped before the first forecast.
    """
    manifest = read_bundle(options.model).manifest
    feed = _feed(options, manifest)
    board = Board(feed.units, feed.step_seconds)
    with (
        _one_interrupt(),
        _folder() as folder,
        stage(folder, options.model, feed.step_seconds, announce) as running,
    ):
        traffic = Traffic(running.settings, feed, board)
        try:
            _await_first_forecast(running, traffic, board)
            _show(options, _facts(feed, manifest, running), running, traffic, board)
            _await_stragglers(traffic, board)
        finally:
            traffic.stop()
        return board.totals()


def _feed(options: Options, manifest: Manifest) -> Feed:
    if len(manifest.channels) != 1:
        raise BundleError(
            f"{options.model} wants {len(manifest.channels)} values at a time; "
            "the demo has one: name a model of one channel"
        )
    [channel] = manifest.channels
    if options.file is None:
        return LiveFeed(channel.name)
    return FileFeed(options.file, channel.name, options.speed)


def _facts(feed: Feed, manifest: Manifest, running: Stage) -> Facts:
    servers = running.servers
    return Facts(
        title=feed.title,
        manifest=manifest,
        step_seconds=feed.step_seconds,
        units=feed.units,
        servers={"Kafka": servers.bootstrap_servers, "Valkey": f"{HOST}:{servers.valkey.port}"},
    )


def _await_first_forecast(running: Stage, traffic: Traffic, board: Board) -> None:
    begun = time.monotonic()
    while not board.answered:
        _look_after(running, traffic)
        if time.monotonic() - begun > FIRST_FORECAST_S:
            limit = f"within {FIRST_FORECAST_S:g} s"
            raise LocalServerError(f"no forecast {limit} (log: {running.worker_log})")
        time.sleep(LOOK_S / 10)
    board.start_clock()
    announce("first forecast", time.monotonic() - begun, "")


def _show(options: Options, facts: Facts, running: Stage, traffic: Traffic, board: Board) -> None:
    """Show the run until it is over or Ctrl-C is pressed; then take its picture."""
    try:
        with progress_lines() if options.headless else live_view(facts) as show:
            while not _over(options, (frame := board.frame()).uptime_s, traffic):
                show(frame)
                _look_after(running, traffic)
                time.sleep(LOOK_S)
    except KeyboardInterrupt:
        pass
    if options.picture is not None:
        save_picture(facts, board.frame(), options.picture)


def _over(options: Options, uptime_s: float, traffic: Traffic) -> bool:
    if options.seconds is not None and uptime_s >= options.seconds:
        return True
    return options.headless and not traffic.publishing


def _look_after(running: Stage, traffic: Traffic) -> None:
    """Servers and worker first: when one of them is gone, the threads' errors only follow."""
    running.check()
    traffic.check()


def _await_stragglers(traffic: Traffic, board: Board) -> None:
    """Wait for the last forecasts: for as long as they keep coming, if the worker is behind."""
    traffic.stop_publishing()
    open_before, deadline = board.open, time.monotonic() + STRAGGLERS_S
    while board.open and time.monotonic() < deadline:
        time.sleep(LOOK_S / 10)
        if board.open < open_before:
            open_before, deadline = board.open, time.monotonic() + STRAGGLERS_S


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder for data and logs; an error leaves it there, since its message names a log."""
    folder = Path(tempfile.gettempdir(), f"tidecast-demo-{secrets.token_hex(4)}")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    except (KeyboardInterrupt, GeneratorExit):
        # An interrupt may come before the block that we yield to has begun; it then only drops us.
        shutil.rmtree(folder, ignore_errors=True)
        raise
    else:
        shutil.rmtree(folder)


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt once; a second would break the stop."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
