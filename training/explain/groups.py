"""For whom a model is worse: its errors by group of series and by time, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.evaluate.back_test import BackTest
from training.evaluate.classification import classify
from training.evaluate.metrics import Numbers, mean_of, measure, scale_of

FOURTHS: Final = ("lowest", "low", "high", "highest")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_PREFIXES: Final = 20
DAY_S: Final = 86_400
MONDAY: Final = 3
"""1970 began on a Thursday."""

Labels = NDArray[Any]
Judge = Callable[[Labels], tuple[float, float]]


class Group(NamedTuple):
    """What is alike in its answers, how many there are, and how good they are.

    error: MASE (MAE where no series has a scale), or a classifier's log loss. hit: coverage, or
    a classifier's accuracy.
    """

    kind: str
    name: str
    answers: int
    error: float
    hit: float


def groups(test: BackTest) -> list[Group]:
    """Errors by name, level, volatility, hour of day and weekday (UTC) of what is answered for.

    A kind with a single group says nothing and is left out.
    """
    judge = _judge(test)
    answered = test.run.answered[..., None] & ~np.isnan(test.actual)
    found = []
    for kind, labels, names in _kinds(test):
        everywhere = np.broadcast_to(labels, answered.shape)
        present = [label for label in range(len(names)) if (answered & (everywhere == label)).any()]
        if len(present) > 1:
            chosen = [answered & (everywhere == label) for label in present]
            found += [
                Group(kind, names[label], int(answers.sum()), *judge(answers))
                for label, answers in zip(present, chosen, strict=True)
            ]
    return found


def _kinds(test: BackTest) -> Iterator[tuple[str, Labels, tuple[str, ...]]]:
    """Kinds of groups: a number for each answer [series, N, horizon], and what numbers mean."""
    prefixes, names = _prefixes(test.case.table.names)
    if len(names) <= MOST_PREFIXES:
        yield "name", prefixes[:, None, None], names
    past = test.target[:, : test.case.history].astype(np.float64)
    level = np.abs(mean_of(past, axis=1))
    if not test.manifest.classes:
        deviation = scale_of(past, test.case.seasonality).deviation
        yield "level", _fourths(level), FOURTHS
        yield "volatility", _fourths(deviation / np.where(level > 0, level, np.nan)), FOURTHS
    manifest, table = test.manifest, test.case.table
    slots = test.case.origins[:, None] + manifest.lead + np.arange(manifest.horizon)
    seconds = table.first + slots * table.step_seconds
    hours = tuple(f"{hour:02d} h" for hour in range(24))
    yield "hour of day", (seconds % DAY_S // 3600)[None], hours
    yield "weekday", ((seconds // DAY_S + MONDAY) % 7)[None], WEEKDAYS


def _judge(test: BackTest) -> Judge:
    """How good chosen answers are: bool [series, N, horizon] → error and hit of `Group`."""
    manifest = test.manifest
    scale = scale_of(test.target[:, : test.case.history], test.case.seasonality)
    error = "mae" if np.isnan(scale.naive).all() else "mase"

    def of_classes(chosen: Labels) -> tuple[float, float]:
        found = classify(test.actual[chosen], test.run.answers[chosen], manifest.classes)
        return found.log_loss, found.accuracy

    def of_numbers(chosen: Labels) -> tuple[float, float]:
        actual, answers = test.actual[chosen], test.run.answers[chosen]
        rows = np.nonzero(chosen)[0]
        found = measure(
            actual[:, None, None],
            answers[:, None, None],
            manifest.quantile_levels,
            scale.of(rows),
        )
        return _number(getattr(found, error)), _number(found.coverage)

    return of_classes if manifest.classes else of_numbers


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _prefixes(names: tuple[str, ...]) -> tuple[Labels, tuple[str, ...]]:
    """Series by what their names begin with, up to the first digit or separator."""
    starts = [re.split(r"[\d/_.:\- ]", name, maxsplit=1)[0] or name for name in names]
    distinct = tuple(dict.fromkeys(starts))
    return np.array([distinct.index(start) for start in starts]), distinct


def _fourths(numbers: Numbers) -> Labels:
    """In which fourth of the series each is, by a number [series]: [series, 1, 1]; -1 for NaN."""
    known = numbers[~np.isnan(numbers)]
    edges = np.quantile(known, [0.25, 0.5, 0.75]) if known.size else np.zeros(3)
    fourths = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers))
    return fourths[:, None, None]
