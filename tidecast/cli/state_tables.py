"""What `tidecast state inspect` found, for eyes: tables on a terminal, tab-separated elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from stream.admin.report import PartitionReport, SeriesReport

COLUMNS: Final = (
    "partition",
    "verdict",
    "owner",
    "cursor",
    "committed",
    "log",
    "lag",
    "rows",
    "size",
    "model",
    "layout",
    "epoch",
)
OWNER_WIDTH: Final = 20
"""A member's id ends in 36 characters that say nothing to the eye."""
LAYOUT: Final = {True: "ok", False: "another", None: "-"}


def show_partitions(reports: Sequence[PartitionReport]) -> None:
    """A line a partition; under the table what each verdict means and what resolves it."""
    _show(COLUMNS, [_cells(report) for report in reports])
    partitions: defaultdict[str, list[str]] = defaultdict(list)
    for report in reports:
        if report.detail:
            todo = f": {report.command}" if report.command else ""
            remark = f"{report.verdict}, {report.detail}{todo}"
            partitions[remark].append(str(report.partition))
    for remark, numbers in partitions.items():
        _print(f"partition {', '.join(numbers)}: {remark}")


def show_series(report: SeriesReport) -> None:
    """One series: where and when, and its last values."""
    newest = report.newest.isoformat().replace("+00:00", "Z") if report.newest else "never"
    columns = ("series", "partition", "newest slot", "span", "status", *report.values)
    cells = [report.series_id, str(report.partition), newest, str(report.span), report.status]
    cells += [" ".join(_cell(value) for value in values) for values in report.values.values()]
    _show(columns, [cells])


def _cells(report: PartitionReport) -> list[str]:
    owner = f"{report.generation} {report.member or 'nobody'}"
    return [
        str(report.partition),
        report.verdict,
        "-" if report.generation is None else owner,
        _cell(report.cursor),
        _cell(report.committed),
        "-" if report.log_end is None else f"{report.log_start}..{report.log_end}",
        str(report.lag),
        f"{report.rows:,}",
        f"{report.bytes:,} B",
        _cell(report.model),
        LAYOUT[report.layout_fits],
        _cell(report.epoch),
    ]


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _show(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    console = Console()
    if not console.is_terminal:
        for line in (columns, *lines):
            _print("\t".join(line))
        return
    table = Table()
    for name in columns:
        owner = name == "owner"
        table.add_column(name, no_wrap=owner, max_width=OWNER_WIDTH if owner else None)
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def _print(line: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(line)
