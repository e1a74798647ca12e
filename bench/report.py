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
class PeerResult:
    """How another system did on the first `events` of the same job.

    guarantees: its own, those that were on. figures: none where it was not run; `note` says why.
    """

    name: str
    title: str
    language: str
    guarantees: str
    events: int
    figures: Sequence[Figure]
    note: str = ""


@dataclass(frozen=True)
class Result:
    """What a bench found.

    question: in one line. parameters: what was run. checked: exact counts, true of every repeat.
    peers: who was raced beside the worker.
    """

    bench: str
    question: str
    parameters: Mapping[str, float | str]
    figures: Sequence[Figure]
    checked: Mapping[str, int]
    conditions: Conditions
    peers: Sequence[PeerResult] = ()


def as_json(result: Result) -> bytes:
    """One line: each figure by its name, its least and most value under `spread`."""
    found: dict[str, Any] = {
        "bench": result.bench,
        **_medians_and_spreads(result.figures),
        "peers": [_peer_as_json(peer) for peer in result.peers],
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


def _peer_as_json(peer: PeerResult) -> dict[str, Any]:
    facts = {key: getattr(peer, key) for key in ("name", "events", "language", "guarantees")}
    if peer.note:
        return {**facts, "note": peer.note}
    return {**facts, **_medians_and_spreads(peer.figures)}


def keep(result: Result, folder: Path = KEPT) -> None:
    """Keep the result, for the pages that are written from the last one of each bench."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.bench}.json").write_bytes(msgspec.json.encode(result))


def kept(bench: str, folder: Path = KEPT) -> Result | None:
    """The last result of a bench that was kept; None where there is none."""
    file = folder / f"{bench}.json"
    return msgspec.json.decode(file.read_bytes(), type=Result) if file.exists() else None


def show(result: Result, console: Console) -> None:
    """Print the table, and the one of the peers where there are any."""
    table = Table(title=result.question, title_justify="left", caption_justify="left")
    table.caption = caption(result)
    for name in ("", "median", "least", "most"):
        table.add_column(name, justify="right" if name else "left")
    for title, *values in rows(result):
        table.add_row(title, *values)
    console.print(table)
    if result.peers:
        header, lines = peer_table(result)
        peers = Table(title="Beside it", title_justify="left")
        for name in header:
            peers.add_column(name, no_wrap=name != header[-1])
        for line in lines:
            peers.add_row(*line)
        console.print(peers)


def rows(result: Result) -> list[tuple[str, str, str, str]]:
    """Title, median, least and most of each figure; the last two are empty without repeats."""
    lines = []
    for figure in result.figures:
        median, least, most = (figure.text(value) for value in spread(figure.values))
        single = len(figure.values) == 1
        lines.append((figure.title, median, "" if single else least, "" if single else most))
    return lines


def peer_table(result: Result) -> tuple[list[str], list[list[str]]]:
    """Header and rows: medians of each peer, and what it is; or why it was not run."""
    titles = next(([f.title for f in peer.figures] for peer in result.peers if peer.figures), [])
    rows = [
        [
            peer.title,
            *([_median(figure) for figure in peer.figures] or ["-"] * len(titles)),
            f"not run: {peer.note}" if peer.note else f"{peer.language}; {peer.guarantees}",
        ]
        for peer in result.peers
    ]
    return ["", *titles, "language; guarantees"], rows


def _median(figure: Figure) -> str:
    return figure.text(spread(figure.values).median)


def repeats(result: Result) -> int:
    """How often it was measured."""
    return len(result.figures[0].values)


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
