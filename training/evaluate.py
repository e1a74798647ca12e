"""Rolling-origin back-test of an exported graph, beside the naive and seasonal-naive forecasts.

MASE is the mean absolute error of the median over the in-sample mean absolute error of the
seasonal-naive forecast (Hyndman & Koehler, 2006). The pinball loss is in the same unit.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from tidecast.errors import DataError
from training.data.waves import Floats, Ints
from training.runner import Runner


class Task(NamedTuple):
    """What a back-test forecasts.

    values: float32 [series, slots], NaN = missing. origins: int64 [N], rising slots, each with the
    horizon after it. history: slots before the first scored one, by which errors are scaled.
    """

    name: str
    values: Floats
    origins: Ints
    history: int
    seasonality: int


class Scores(msgspec.Struct, frozen=True):
    """What a back-test found. Coverage is that of the band between the outermost levels."""

    series: int
    origins: int
    mase: float
    mase_naive: float
    mase_seasonal_naive: float
    pinball: float
    coverage: float
    mase_by_lead: tuple[float, ...]
    seasonal_naive_by_lead: tuple[float, ...]
    coverage_by_lead: tuple[float, ...]

    @property
    def skill(self) -> float:
        """Part by which the MASE is smaller than that of the seasonal-naive forecast."""
        return 1 - self.mase / self.mase_seasonal_naive


def back_test(runner: Runner, task: Task, levels: tuple[float, ...]) -> tuple[Scores, Floats]:
    """Stream the task's series; score every origin. → scores, the forecasts."""
    forecasts = runner.run(task.values, task.origins)
    return score(forecasts, task, levels), forecasts


def score(forecasts: Floats, task: Task, levels: tuple[float, ...]) -> Scores:
    """Score `forecasts` [series, N, horizon, levels]. Missing targets count for nothing.

    Series whose scale is zero or unknown are left out; DataError when no other is there.
    """
    leads = np.arange(1, forecasts.shape[2] + 1)
    scale = seasonal_scale(task.values[:, : task.history], task.seasonality)
    rows = np.flatnonzero(scale > 0)
    if not rows.size:
        raise DataError(f"{task.name}: no series varies from season to season, nothing to score")
    unit = scale[rows, None, None]
    actual = task.values[rows][:, task.origins[:, None] + leads]
    ours = forecasts[rows]
    naive, seasonal = baselines(task.values[rows], task.origins, leads, task.seasonality)
    error = np.abs(actual - ours[..., levels.index(0.5)]) / unit
    apart = (actual[..., None] - ours) / unit[..., None]
    level = np.array(levels)
    inside = ((ours[..., 0] <= actual) & (actual <= ours[..., -1])).astype(float)
    inside[np.isnan(actual)] = np.nan
    behind = np.abs(actual - seasonal) / unit
    return Scores(
        series=len(rows),
        origins=len(task.origins),
        mase=float(np.nanmean(error)),
        mase_naive=float(np.nanmean(np.abs(actual - naive) / unit)),
        mase_seasonal_naive=float(np.nanmean(behind)),
        pinball=float(np.nanmean(np.maximum(level * apart, (level - 1) * apart))),
        coverage=float(np.nanmean(inside)),
        mase_by_lead=_by_lead(error),
        seasonal_naive_by_lead=_by_lead(behind),
        coverage_by_lead=_by_lead(inside),
    )


def seasonal_scale(history: Floats, period: int) -> Floats:
    """Return each row's mean absolute seasonal-naive error, NaN left out. → [series]."""
    apart = np.abs(history[:, period:] - history[:, :-period])
    known = ~np.isnan(apart)
    sums = np.where(known, apart, 0).sum(axis=1)
    scale: Floats = sums / np.maximum(known.sum(axis=1), 1)
    return scale


def baselines(values: Floats, origins: Ints, leads: Ints, period: int) -> tuple[Floats, Floats]:
    """Return naive and seasonal-naive forecasts, each [series, N, leads]; gaps repeat a value."""
    place = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    filled = np.take_along_axis(values, np.maximum.accumulate(place, axis=1), axis=1)
    last = np.broadcast_to(filled[:, origins, None], (len(values), len(origins), len(leads)))
    cycle = np.maximum(origins[:, None] - period + 1 + (leads - 1) % period, 0)
    return last, filled[:, cycle]


def _by_lead(values: Floats) -> tuple[float, ...]:
    """Average over series and origins. values: [series, N, leads]."""
    return tuple(round(float(value), 5) for value in np.nanmean(values, axis=(0, 1)))
