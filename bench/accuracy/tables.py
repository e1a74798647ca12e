"""What was found as two tables: contests against their bars, and models zero-shot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from bench.accuracy.contest import CONTESTS, Contest
from bench.accuracy.kept import Contests
from bench.accuracy.rows import Row
from bench.accuracy.zero_shot import NAME
from bench.tables import Table
from training.evaluate.scores import better, skill_of
from training.evaluate.statistical import METHODS

MEASURES: Final = {"mse": "MSE", "mae": "MAE", "owa": "OWA"}
COVERAGE: Final = "coverage, .78 to .82"
"""The head of a column: what a band of 80 % should hold."""
SEASONAL: Final = "seasonal naive"


def tables(contests: Contests) -> list[Table]:
    """One of the contests, one of the models zero-shot: those that there are."""
    rows = [row for found in contests.values() for row in found.rows]
    fitted = [row for row in rows if row.contest != NAME]
    tried = [row for row in rows if row.contest == NAME]
    return [
        table(some) for table, some in ((fitted_table, fitted), (zero_shot_table, tried)) if some
    ]


def fitted_table(rows: Sequence[Row]) -> Table:
    """A line a model, medians over its seeds; beside each measure what it may be at most."""
    heads = ["", "data", "horizon", "seeds", *MEASURES.values(), COVERAGE, "minutes", "published"]
    names = dict.fromkeys(row.contest for row in rows)
    lines = [_line(CONTESTS[name], [row for row in rows if row.contest == name]) for name in names]
    return Table(heads, lines, remarks=True)


def _line(contest: Contest, rows: Sequence[Row]) -> list[str]:
    first = rows[0]
    measured = [_measured(rows, name, getattr(contest, name)) for name in MEASURES]
    coverage = _number(_median(rows, "coverage"))
    minutes = max(row.minutes or 0 for row in rows)
    head = [first.model, first.data, str(first.horizon), str(len(rows))]
    return [*head, *measured, coverage, f"{minutes:.1f}", contest.published]


def _measured(rows: Sequence[Row], name: str, bar: float | None) -> str:
    """The median, what it may be at most, and by what part it is more."""
    value = _median(rows, name)
    if value is None or bar is None:
        return _number(value)
    short = f", short by {value / bar - 1:.1%}" if value > bar else ""
    return f"{value:.3f} (at most {bar:.3f}{short})"


def _median(rows: Iterable[Row], name: str) -> float | None:
    values = [value for row in rows if (value := getattr(row, name)) is not None]
    return median(values) if values else None


def zero_shot_table(rows: Sequence[Row]) -> Table:
    """A line for each data set and model: MASE at every origin, and at the drawn answers."""
    heads = ["", "MASE", SEASONAL, "against it", "answers, drawn", "MASE, there", *METHODS]
    heads += ["against the, best of them", COVERAGE, "minutes"]
    lines = []
    for data in dict.fromkeys(row.data for row in rows):
        of_data = [row for row in rows if row.data == data]
        models = dict.fromkeys(row.model for row in of_data if row.seed is not None)
        lines += [_beside(of_data, model) for model in models]
    return Table(heads, lines)


def _beside(rows: Sequence[Row], model: str) -> list[str]:
    """Of one data set: the model, what it is compared with, and by how much it is better."""
    every = {row.model: row for row in rows if row.answers is None}
    drawn = {row.model: row for row in rows if row.answers is not None}
    own, there = every[model], drawn[model]
    fitted = [drawn[name].mase for name in METHODS]
    return [
        f"{own.data}: {model}",
        _number(own.mase),
        _number(every[SEASONAL].mase),
        _skill(own.mase, [every[SEASONAL].mase]),
        str(there.answers),
        *map(_number, [there.mase, *fitted]),
        _skill(there.mase, fitted),
        _number(own.coverage),
        "" if own.minutes is None else f"{own.minutes:.1f}",
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _skill(mase: float | None, others: Sequence[float | None]) -> str:
    skill = skill_of(mase, others)
    return "" if skill is None else better(skill)
