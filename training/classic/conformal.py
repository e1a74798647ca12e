"""Quantiles around an estimator's answer, from its errors on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.grid import FloatArray
from tidecast.errors import DataError


def offsets_of(errors: FloatArray, levels: Sequence[float]) -> FloatArray:
    """How far each level lies from the median. → [answers, levels], rising along the last axis.

    errors: [N, answers], target minus answer, NaN where the target is not known. The level q is
    the error of rank (n + 1)·q, rounded away from the middle: with n errors and a new one that
    could as well have been any of them, at most a share q lies below (split conformal prediction;
    Papadopoulos et al., 2002; Lei et al., 2018). The estimator's answer itself is the median, so a
    lower level is never above it. Raises DataError where a lead has no error.
    """
    columns = []
    for lead, column in enumerate(errors.T, start=1):
        known = np.sort(column[~np.isnan(column)])
        if not len(known):
            raise DataError(f"no target {lead} ahead is known in the newest part of the rows")
        columns.append([_offset(known, level) for level in levels])
    return np.array(columns, np.float32)


def _offset(errors: FloatArray, level: float) -> float:
    """One level's distance from the median. errors: [n], rising."""
    if level == 0.5:
        return 0.0
    rank = (len(errors) + 1) * level
    place = int(np.clip(np.ceil(rank) if level > 0.5 else np.floor(rank), 1, len(errors)))
    error = float(errors[place - 1])
    return max(error, 0.0) if level > 0.5 else min(error, 0.0)
