"""The answer of a bench: what was found, as one JSON object, and kept for the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.machine import Conditions
from bench.statistics import spread

KEPT: Final = Path("docs/results")
"""In the repository, so that the pages can be written anew where only some benches were run."""
RATE: Final = "events_per_s"
"""The key of cases that differ in it."""


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
    """The same quantities under one of several conditions, such as a rate, or of another system.

    key: what tells it from the others, as JSON names it. title: for people.
    note: a remark in words. figures: none where nothing was measured; the note then says why.
    """

    key: Mapping[str, float | str]
    title: str
    figures: Sequence[Figure]
    note: str = ""


@dataclass(frozen=True)
class Result:
    """What a bench found.

    bench: its command, with the options that make it another question. question: in one line.
    parameters: what was run. checked: exact counts, true of every repeat.
    cases: where it was asked under several conditions; each has the same figures.
    peers: other systems that did the same work, in the same run.
    """

    bench: str
    question: str
    parameters: Mapping[str, float | str]
    figures: Sequence[Figure]
    checked: Mapping[str, int]
    conditions: Conditions
    cases: Sequence[Case] = ()
    peers: Sequence[Case] = ()

    @property
    def every_figure(self) -> list[Figure]:
        """The figures, and those of all cases."""
        return [*self.figures, *(figure for case in self.cases for figure in case.figures)]

    @property
    def rows(self) -> list[Case]:
        """The cases, and the peers below them, those of a rate together."""
        return sorted([*self.cases, *self.peers], key=lambda case: float(case.key.get(RATE, 0)))

    @property
    def repeats(self) -> int:
        """How often it was measured."""
        return len(self.every_figure[0].values)


def slug(bench: str) -> str:
    """A bench's command as part of a file's name."""
    return bench.replace(" --", "-").replace(" ", "-")


def as_json(result: Result) -> bytes:
    """One line: each figure by its name, its least and most value under `spread`.

    The figures of a case are under `cases`; where there is but one case they are at the top too.
    """
    alone = len(result.cases) < 2
    found: dict[str, Any] = {
        "bench": result.bench,
        **_medians_and_spreads(result.every_figure if alone else result.figures),
        "cases": [*map(_case_as_json, result.cases)],
        "peers": [*map(_case_as_json, result.peers)],
        "repeats": result.repeats,
        "parameters": result.parameters,
        "checked": result.checked,
        **asdict(result.conditions),
    }
    return msgspec.json.encode(found)


def _case_as_json(case: Case) -> dict[str, Any]:
    note = {"note": case.note} if case.note else {}
    return {**case.key, **_medians_and_spreads(case.figures), **note}


def _medians_and_spreads(figures: Iterable[Figure]) -> dict[str, Any]:
    spreads = {figure.name: spread(figure.values) for figure in figures}
    return {
        **{name: _rounded(values.median) for name, values in spreads.items()},
        "spread": {
            name: [_rounded(values.least), _rounded(values.most)]
            for name, values in spreads.items()
        },
    }


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def keep(result: Result, folder: Path = KEPT) -> None:
    """Keep the result, for the pages that are written from the last one of each bench."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{slug(result.bench)}.json").write_bytes(msgspec.json.encode(result))


def kept(bench: str, folder: Path = KEPT) -> Result | None:
    """The last result of a bench that was kept; None where there is none."""
    file = folder / f"{slug(bench)}.json"
    return msgspec.json.decode(file.read_bytes(), type=Result) if file.exists() else None
