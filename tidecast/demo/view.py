"""The live view: one frame as a page that just fills the terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tidecast.demo.board import Facts, Frame
from tidecast.demo.quantities import interval, quantity
from tidecast.demo.sparkline import FAINT, MEDIAN, OUTSIDE, PAST, draw
from tidecast.demo.trace import Picture
from tidecast.messages import Status

FRAME_LINES: Final = 8
"""Lines that are no series: the panel, the heads of the columns, the line at the bottom."""
LINES_A_SERIES: Final = (2, 5)
"""Two lines at least, for a band to be seen; more than five add nothing."""
NAME_COLUMNS: Final = (12, 24)
VALUE_COLUMNS: Final = 12
NEXT_COLUMNS: Final = 21
SPACE_COLUMNS: Final = 8
"""Between the columns, and at the edges."""
NARROWEST_CHART: Final = 10

STATUS_STYLES: Final = {
    Status.OK: "#8fe388",
    Status.COLD: "#61afef",
    Status.GAPPY: "#e5c07b",
    Status.STALE: "#e5c07b",
    Status.FALLBACK: "#ff6b6b",
    Status.REBUILDING: "#e5c07b",
}
KEYS: Final = "Ctrl-C stops"


class Page:
    """A rich renderable: as many series, and as many lines for each, as the terminal holds."""

    def __init__(self, facts: Facts, frame: Frame) -> None:
        self._facts = facts
        self._frame = frame

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(1, (options.height or console.height) - FRAME_LINES)
        series = self._frame.series
        fewest, most = LINES_A_SERIES
        height = min(max(room // max(1, len(series)), fewest), most)
        shown = dict(list(series.items())[: max(1, room // height)])
        rows = self._rows(shown, options.max_width, height)
        yield Group(self._header(), rows, self._footer(len(series) - len(shown)))

    def _header(self) -> Panel:
        facts, frame, totals = self._facts, self._frame, self._frame.totals
        lines = [
            _spread(("events", f"{frame.events_per_s:,.1f}/s"),
                    ("forecasts", f"{frame.forecasts_per_s:,.1f}/s"),
                    ("latency p50", _ms(totals.latency_ms["p50"])),
                    ("p99", _ms(totals.latency_ms["p99"]))),
            _spread(("total", f"{totals.forecasts_received:,}"),
                    ("rejected", f"{totals.rejected:,}"),
                    ("in the band", _held(frame)),
                    ("up", str(timedelta(seconds=int(frame.uptime_s))))),
            _spread(("model", f"{facts.manifest.name} {facts.manifest.version}"),
                    *facts.servers.items()),
        ]  # fmt: skip
        title = Text.assemble((" tidecast ", "bold"), (f"{facts.title} ", FAINT))
        return Panel(
            Group(*lines), title=title, title_align="left", box=box.ROUNDED, border_style=FAINT
        )

    def _rows(self, shown: dict[str, Picture], width: int, height: int) -> Table:
        levels = self._facts.manifest.quantile_levels
        shortest, longest = NAME_COLUMNS
        name_columns = min(max([shortest, *map(cell_len, shown)]), longest)
        taken = name_columns + VALUE_COLUMNS + NEXT_COLUMNS + SPACE_COLUMNS
        chart_columns = max(NARROWEST_CHART, width - taken)
        table = Table(box=None, padding=(0, 1), header_style=FAINT)
        table.add_column("series", width=name_columns, no_wrap=True)
        table.add_column("now", width=VALUE_COLUMNS, justify="right", no_wrap=True)
        table.add_column(_legend(), width=chart_columns, no_wrap=True)
        table.add_column(f"next, {_percents(levels)}", width=NEXT_COLUMNS, no_wrap=True)
        for name, picture in shown.items():
            unit = self._facts.units.get(name, "")
            chart = draw(picture, chart_columns, height)
            table.add_row(_name(name, picture), _now(picture, unit), chart, _next(picture, unit))
        return table

    def _footer(self, hidden: int) -> Text:
        more = f"   {hidden:,} more series in a taller window" if hidden else ""
        step = f"{self._facts.step_seconds} s a column"
        return Text(f" {KEYS}   {step}{more}", style=FAINT, no_wrap=True, overflow="ellipsis")


def _legend() -> Text:
    return Text.assemble(
        ("█", PAST), " past ", ("█", OUTSIDE), " outside its band ", ("─", MEDIAN), " forecast"
    )


def _spread(*pairs: tuple[str, str]) -> Text:
    """Names faint, figures bright, in one line."""
    parts = [Text.assemble((f"{name} ", FAINT), (figure, "bold")) for name, figure in pairs]
    line = Text("   ").join(parts)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _name(name: str, picture: Picture) -> Text:
    status = Status(picture.status) if picture.status else None
    word = (status.value, STATUS_STYLES[status]) if status else ("waiting", FAINT)
    return Text.assemble((name, "bold"), "\n", word)


def _now(picture: Picture, unit: str) -> Text:
    value = float(picture.values[-1]) if len(picture.values) else None
    left = bool(len(picture.outside)) and bool(picture.outside[-1])
    return Text(quantity(value, unit), style=OUTSIDE if left else "bold")


def _next(picture: Picture, unit: str) -> Text:
    if picture.band is None:
        return Text("–", style=FAINT)
    low, median, high = (float(level[0]) for level in picture.band)
    return Text.assemble((quantity(median, unit), MEDIAN), "\n", (interval(low, high, unit), FAINT))


def _percents(levels: tuple[float, ...]) -> str:
    return f"{levels[0] * 100:g}–{levels[-1] * 100:g} %"


def _held(frame: Frame) -> str:
    """How many values lay in the band that was forecast for them."""
    return f"{frame.inside / frame.judged:.0%} of {frame.judged:,}" if frame.judged else "–"


def _ms(latency: float | None) -> str:
    return "–" if latency is None else f"{latency:.1f} ms"
