"""The answer of a bench, as a table to read and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from bench.machine import Conditions
from bench.statistics import spread

KEPT: Final = Path("runs")


@dataclass(frozen=True)
class Figure:
    """One measured quantity.

    name: its key in the JSON, unit included. title: for people. values: one for each repeat.
    """

    name: str
    title: str
    values: Sequence[float]
    digits: int = 0

    def text(self, value: float) -> str:
        """A value as people read it."""
        return f"{value:,.{self.digits}f}"


@dataclass(frozen=True)
class Case:
    """The same quantities under one of several conditions, such as a rate.

    key: what tells it from the others, as JSON names it. title: for people.
    """

    key: Mapping[str, float | str]
    title: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Result:
    """What a bench found.

    question: in one line. parameters: what was run. checked: exact counts, true of every repeat.
    cases: where it was asked under several conditions; each has the same figures.
    """

    bench: str
    question: str
    parameters: Mapping[str, float | str]
    figures: Sequence[Figure]
    checked: Mapping[str, int]
    conditions: Conditions
    cases: Sequence[Case] = ()

    @property
    def every_figure(self) -> list[Figure]:
        """The figures, and those of all cases."""
        return [*self.figures, *(figure for case in self.cases for figure in case.figures)]


def as_json(result: Result) -> bytes:
    """One line: each figure by its name, its least and most value under `spread`.

    The figures of a case are under `cases`; where there is but one case they are at the top too.
    """
    alone = len(result.cases) < 2
    found: dict[str, Any] = {
        "bench": result.bench,
        **_medians_and_spreads(result.every_figure if alone else result.figures),
        "cases": [{**case.key, **_medians_and_spreads(case.figures)} for case in result.cases],
        "repeats": repeats(result),
        "parameters": result.parameters,
        "checked": result.checked,
        **asdict(result.conditions),
    }
    return msgspec.json.encode(found)


def _medians_and_spreads(figures: Iterable[Figure]) -> dict[str, Any]:
    spreads = {figure.name: spread(figure.values) for figure in figures}
    return {
        **{name: _rounded(values.median) for name, values in spreads.items()},
        "spread": {
            name: [_rounded(values.least), _rounded(values.most)]
            for name, values in spreads.items()
        },
    }


def keep(result: Result, folder: Path = KEPT) -> None:
    """Keep the result, for the pages that are written from the last one of each bench."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.bench}.json").write_bytes(msgspec.json.encode(result))


def kept(bench: str, folder: Path = KEPT) -> Result | None:
    """The last result of a bench that was kept; None where there is none."""
    file = folder / f"{bench}.json"
    return msgspec.json.decode(file.read_bytes(), type=Result) if file.exists() else None


def show(result: Result, console: Console) -> None:
    """Print the tables."""
    console.print(result.question, style="italic")
    for header, lines in tables(result):
        table = Table()
        for name in header:
            table.add_column(name, justify="right" if name else "left")
        for line in lines:
            table.add_row(*line)
        console.print(table)
    console.print(caption(result), style="dim")


def tables(result: Result) -> list[tuple[list[str], list[list[str]]]]:
    """The header and the rows of each table: of the figures, then a column for each case."""
    found = []
    if result.figures:
        several = repeats(result) > 1
        header = ["", "median", "least", "most"] if several else ["", ""]
        found.append((header, [_row(figure)[: len(header)] for figure in result.figures]))
    if result.cases:
        lines = zip(*(map(_cell, case.figures) for case in result.cases), strict=True)
        titles = [figure.title for figure in result.cases[0].figures]
        rows = [[title, *line] for title, line in zip(titles, lines, strict=True)]
        found.append((["", *(case.title for case in result.cases)], rows))
    return found


def _row(figure: Figure) -> list[str]:
    """Title, median, least and most."""
    return [figure.title, *map(figure.text, spread(figure.values))]


def _cell(figure: Figure) -> str:
    """The median, and how far the others are from it where there are others."""
    median, least, most = map(figure.text, spread(figure.values))
    return median if len(figure.values) == 1 else f"{median} ({least} to {most})"


def repeats(result: Result) -> int:
    """How often it was measured."""
    return len(result.every_figure[0].values)


def caption(result: Result) -> str:
    """What was run, what was checked, where and when."""
    conditions = result.conditions
    return "\n".join(
        [
            ", ".join(f"{name} {_plain(value)}" for name, value in result.parameters.items())
            + f", repeats {repeats(result)}",
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


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
