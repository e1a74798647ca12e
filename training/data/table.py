"""Series on one even grid, and their split by time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tidecast.errors import DataError
from training.data.waves import Floats, Ints


class Table(NamedTuple):
    """Many series over the same slots of an even grid; NaN = missing.

    names: one a series. values: float32 [series, slots, channels]. channels: their names. first:
    epoch seconds of the first slot. step_seconds: the grid's step. labels: float32 [series, slots]
    of what was measured elsewhere, numbers of classes or a quantity; None where a channel is the
    target. known: float32 [series, slots, covariates] of what is known ahead; covariates: their
    names.
    """

    names: tuple[str, ...]
    values: Floats
    channels: tuple[str, ...]
    first: int
    step_seconds: int
    labels: Floats | None = None
    known: Floats | None = None
    covariates: tuple[str, ...] = ()


class Split(NamedTuple):
    """Where the parts of a table begin: train [0, validate), validate [validate, test), test."""

    validate: int
    test: int
    slots: int


def split(table: Table, validate: float, test: float, horizon: int) -> Split:
    """Cut the table by time; `validate` and `test` are shares of its slots.

    Raises DataError when a part would be too short to hold one forecast.
    """
    slots = table.values.shape[1]
    cut = Split(int(slots * (1 - validate - test)), int(slots * (1 - test)), slots)
    lengths = (cut.validate, cut.test - cut.validate, slots - cut.test)
    if min(lengths) <= horizon:
        raise DataError(
            f"{slots} slots split into {lengths}, yet each part needs more than the horizon, "
            f"{horizon}; give more history, a shorter horizon or other shares"
        )
    return cut


def on_grid(
    names: Ints, seconds: Ints, values: Floats, step: int | None
) -> tuple[Floats, int, int]:
    """Place observations on an even grid.

    names: int64 [n], row number of each observation's series. seconds: int64 [n], epoch seconds.
    values: float32 [n]. step: seconds, or None for the commonest distance. Of several values in
    one slot the last one stays. → values [series, slots], first slot's seconds, step.
    """
    if step is None:
        step = commonest_step(names, seconds)
    slots = seconds // step
    first = int(slots.min())
    grid = np.full((int(names.max()) + 1, int(slots.max()) - first + 1), np.nan, np.float32)
    grid[names, slots - first] = values
    return grid, first * step, step


def commonest_step(names: Ints, seconds: Ints) -> int:
    """Return the commonest positive distance between neighbours of one series, in seconds."""
    order = np.lexsort((seconds, names))
    gaps = np.diff(seconds[order])[np.diff(names[order]) == 0]
    gaps = gaps[gaps > 0]
    if not gaps.size:
        raise DataError("no series has two timestamps; give step_seconds")
    distances, counts = np.unique(gaps, return_counts=True)
    return int(distances[counts.argmax()])
