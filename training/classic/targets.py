"""What an estimator is to learn: targets without units and without gaps."""

from __future__ import annotations

import numpy as np

from stream.grid import BoolArray, FloatArray, IntArray
from tidecast.errors import DataError
from training.features.window import SMALLEST
from training.tasks.classification import ClassificationTask
from training.tasks.head import FAR


def usable(targets: FloatArray) -> BoolArray:
    """Which rows of `targets` [N] or [N, horizon] are known, at least by half. → [N]."""
    known: BoolArray = np.isfinite(targets).reshape(len(targets), -1).mean(1) >= 0.5
    return known


def without_units(targets: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    """Scale by the row's level, and cut off what no answer could meet.

    targets: [N, answers]. centre, spread: [N, 1] in the target's units. NaN stays NaN.
    """
    apart = targets.astype(np.float64) - centre
    scaled = apart / np.maximum(spread.astype(np.float64), SMALLEST)
    return scaled.clip(-FAR, FAR).astype(np.float32)


def without_gaps(targets: FloatArray) -> FloatArray:
    """Interpolate what is missing from the row's known leads. targets: [N, answers]."""
    whole = targets.copy()
    leads = np.arange(targets.shape[1])
    for number in np.flatnonzero(np.isnan(whole).any(1)):
        row = whole[number]
        known = ~np.isnan(row)
        row[~known] = np.interp(leads[~known], leads[known], row[known])
    return whole


def classes_of(task: ClassificationTask, targets: FloatArray) -> IntArray:
    """The targets [N] as numbers of classes. Raises DataError when a class has no row."""
    numbers = targets.astype(np.int64)
    strange = sorted(set(numbers.tolist()) - set(range(len(task.classes))))
    if strange:
        raise DataError(f"targets {strange} are no classes of {len(task.classes)}, from 0 on")
    counts = np.bincount(numbers, minlength=len(task.classes))
    missing = [name for name, count in zip(task.classes, counts, strict=True) if not count]
    if missing:
        raise DataError(
            f"no training row is of class {', '.join(missing)}; "
            "bring rows of it, or leave it out of task.classes"
        )
    return numbers
