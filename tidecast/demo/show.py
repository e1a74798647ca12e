"""The ways to show a running demo: a live view, lines of progress, a picture of the view."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live

from tidecast.demo.board import Facts, Frame, Totals
from tidecast.demo.quantities import count
from tidecast.demo.view import Page
from tidecast.errors import DataError

Show = Callable[[Frame], None]
"""Shows one frame."""

PROGRESS_S: Final = 5.0
PICTURE_COLUMNS: Final = 120
PICTURE_LINES: Final = 47
WEB_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""What would have the reader's browser fetch a font: any monospaced one will do."""


@contextmanager
def live_view(facts: Facts) -> Iterator[Show]:
    """The whole terminal, given back with the block."""
    with Live(screen=True, auto_refresh=False) as live:
        yield lambda frame: live.update(Page(facts, frame), refresh=True)


@contextmanager
def progress_lines() -> Iterator[Show]:
    """A line on standard error every few seconds."""
    next_s = PROGRESS_S

    def show(frame: Frame) -> None:
        nonlocal next_s
        if frame.uptime_s >= next_s:
            next_s += PROGRESS_S
            totals = frame.totals
            published = count(totals.events_published, "event")
            received = count(totals.forecasts_received, "forecast")
            say(f"{frame.uptime_s:6.0f} s   {published}, {received}")

    yield show


def announce(step: str, seconds: float, detail: str) -> None:
    """A finished step of the start, on standard error."""
    say(f"{step:<16}{seconds:5.1f} s   {detail}")


def say(line: str) -> None:
    """One line on standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def in_words(totals: Totals) -> str:
    """The result of a run in one line."""
    p50, p99 = totals.latency_ms["p50"], totals.latency_ms["p99"]
    latency = "" if p50 is None else f"; latency p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    published = count(totals.events_published, "event")
    received = count(totals.forecasts_received, "forecast")
    rest = f"{totals.rejected:,} rejected, {totals.lost:,} lost, {totals.duplicates:,} twice"
    return f"{published}, {received}, {rest}{latency}"


def save_picture(facts: Facts, frame: Frame, file: Path) -> None:
    """Write a frame of the view as SVG. Raises DataError when the file cannot be written."""
    console = Console(
        record=True,
        force_terminal=True,
        color_system="truecolor",
        file=StringIO(),
        width=PICTURE_COLUMNS,
        height=PICTURE_LINES,
    )
    console.print(Page(facts, frame))
    svg = WEB_FONT.sub("", console.export_svg(title="tidecast demo"))
    try:
        file.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write the picture {file}: {error.strerror}") from error
