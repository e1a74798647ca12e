"""The answer of a bench as tables and a caption, on the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table as RichTable

from bench.report import Case, Figure, Result
from bench.statistics import spread

WIDEST: Final = 1_000
"""Characters of a line that no table reaches."""


class Table(NamedTuple):
    """Cells as people read them. remarks: whether the last column holds words, not numbers."""

    header: list[str]
    rows: list[list[str]]
    remarks: bool = False

    @property
    def right(self) -> list[bool]:
        """Which columns are aligned right: all but the titles and the remarks."""
        last = len(self.header) - 1
        return [number > 0 and not (self.remarks and number == last) for number in range(last + 1)]


def tables(result: Result) -> list[Table]:
    """One of the figures, one with a column for each case, one with a row for each peer.

    Where there are cases and peers, they are rows of one.
    """
    found = []
    if result.figures:
        several = result.repeats > 1
        header = ["", "median", "least", "most"] if several else ["", ""]
        found.append(Table(header, [_row(figure)[: len(header)] for figure in result.figures]))
    if result.cases and result.peers:
        found.append(_rows("", result.rows))
    elif result.cases:
        lines = zip(*(map(_cell, case.figures) for case in result.cases), strict=True)
        titles = [figure.title for figure in result.cases[0].figures]
        rows = [[title, *line] for title, line in zip(titles, lines, strict=True)]
        found.append(Table(["", *(case.title for case in result.cases)], rows))
    elif result.peers:
        found.append(_rows("beside it", result.peers))
    return found


def _row(figure: Figure) -> list[str]:
    """Title, median, least and most."""
    return [figure.title, *map(figure.text, spread(figure.values))]


def _cell(figure: Figure) -> str:
    """The median, and how far the others are from it where there are others."""
    median, least, most = map(figure.text, spread(figure.values))
    return median if len(figure.values) == 1 else f"{median} ({least} to {most})"


def _rows(heading: str, cases: Sequence[Case]) -> Table:
    """Medians alone: there are many columns."""
    titles = next(([f.title for f in case.figures] for case in cases if case.figures), [])
    blank = ["-"] * len(titles)
    rows = [
        [case.title, *([_median(figure) for figure in case.figures] or blank), case.note]
        for case in cases
    ]
    return Table([heading, *titles, ""], rows, remarks=True)


def _median(figure: Figure) -> str:
    return figure.text(spread(figure.values).median)


def caption(result: Result) -> str:
    """What was run, what was checked, where and when."""
    conditions = result.conditions
    return "\n".join(
        [
            ", ".join(f"{name} {_plain(value)}" for name, value in result.parameters.items())
            + f", repeats {result.repeats}",
            ", ".join(f"{name} {value:,}" for name, value in result.checked.items()),
            f"{conditions.machine}; load before the start {conditions.load:g}; {conditions.date}",
            ", ".join(f"{name} {version}" for name, version in conditions.versions.items()),
        ]
    )


def _plain(value: float | str) -> str:
    if isinstance(value, str):
        return value
    # A result that was kept comes back with floats for whole numbers.
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def show(result: Result, console: Console) -> None:
    """Print question, tables and caption."""
    console.print(result.question, style="italic")
    for table in tables(result):
        show_table(table, console)
    console.print(caption(result), style="dim")


def show_table(table: Table, console: Console) -> None:
    """Print a table."""
    drawn = _rich(table)
    # On a narrow terminal lines break, which is better than words and numbers cut off.
    least = console.measure(drawn, options=console.options.update(width=WIDEST)).minimum
    console.width = max(console.width, least)
    console.print(drawn)


def _rich(table: Table) -> RichTable:
    drawn = RichTable()
    for name, right, *cells in zip(table.header, table.right, *table.rows, strict=True):
        heading = name.replace(", ", ",\n") if right else name
        # Of cells that must not wrap, the library takes the longest word for the least width.
        least = max(map(len, [*heading.splitlines(), *cells]), default=0) if right else None
        drawn.add_column(
            heading, justify="right" if right else "left", no_wrap=right, min_width=least
        )
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def markdown(table: Table) -> str:
    """The table in Markdown, line by line."""
    ruler = ["---:" if right else "---" for right in table.right]
    return "".join(f"| {' | '.join(line)} |\n" for line in [table.header, ruler, *table.rows])
