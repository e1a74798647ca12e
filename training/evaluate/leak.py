"""Proof that a bundle does not look ahead: another future, the very same answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stream.grid import FloatArray
from stream.predictor import Predictor
from tidecast.errors import DataError
from training.data.table import Table
from training.data.waves import Floats
from training.evaluate.engine_run import run

Answerer = Callable[[Table, int], FloatArray]
"""Answers of a table's series at one origin, [series, ...], whoever makes them."""


def check_no_leak(predictor: Predictor, table: Table, origin: int) -> None:
    """Raise DataError when an answer at `origin` changes with what is measured after it."""
    check_answers(
        lambda given, slot: run(predictor, given, np.array([slot])).answers, table, origin
    )


def check_answers(answer: Answerer, table: Table, origin: int) -> None:
    """As `check_no_leak`, for anything that answers: features, say, or a baseline.

    Every value and label after the origin is changed; what is known ahead is known, and stays.
    """
    if origin >= table.values.shape[1] - 1:
        raise DataError(f"there is nothing after slot {origin} to change; choose an earlier one")
    expected = answer(table, origin)
    for number, other in enumerate(_other_futures(table, origin)):
        found = answer(other, origin)
        if found.tobytes() != expected.tobytes():
            raise DataError(
                f"the answer at slot {origin} changes with what is measured after it (change "
                f"{number + 1}): a feature looks ahead; find the one whose window ends too late"
            )


def _other_futures(table: Table, origin: int) -> list[Table]:
    """The table with a missing, a reversed and scaled, and a huge future."""
    changes: list[Callable[[Floats], Floats]] = [
        lambda future: np.full_like(future, np.nan),
        lambda future: np.float32(-3) * future[:, ::-1] + np.float32(1),
        lambda future: np.full_like(future, 1e9),
    ]
    return [
        table._replace(
            values=_changed(table.values, origin, change),
            labels=None if table.labels is None else _changed(table.labels, origin, change),
        )
        for change in changes
    ]


def _changed(values: Floats, origin: int, change: Callable[[Floats], Floats]) -> Floats:
    """values: [series, slots, ...]; what comes after the origin is changed."""
    return np.concatenate((values[:, : origin + 1], change(values[:, origin + 1 :])), axis=1)
