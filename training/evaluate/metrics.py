"""Measures of forecasts and regressions: targets that are NaN, and answers, count for nothing.

| measure | formula | source |
|---|---|---|
| mse, mae, rmse | mean of e², of abs(e), root of the first; e = y − median | |
| smape | mean of 200 abs(e) / (abs(y) + abs(median)), percent | Makridakis (1993), as in M4 |
| mase | mean of abs(e) / a series' in-sample seasonal-naive error | Hyndman & Koehler (2006) |
| owa | mean of sMAPE and MASE, each over Naive2's | Makridakis et al., M4 (2020) |
| pinball | mean of max(q u, (q − 1) u), u = y − answer at level q | Koenker & Bassett (1978) |
| scaled_pinball | the same, in the unit of MASE | M5's SPL (2022), with a season |
| weighted_quantile_loss | 2 sum(pinball) / sum(abs(y)), mean over the levels | Park et al. (2022) |
| coverage, width | share of y within the outermost levels, and how far apart these are | |
| standard_mse, standard_mae | of values standardised by a series' history | Zhou et al. (2021) |
| r2 | 1 − sum(e²) / sum((y − mean y)²) | |
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
"""float32 or float64; measures are taken in float64."""


class Measures(msgspec.Struct, frozen=True):
    """What the module's table lists; None where nothing was there to measure."""

    mse: float | None = None
    mae: float | None = None
    rmse: float | None = None
    smape: float | None = None
    mase: float | None = None
    owa: float | None = None
    pinball: float | None = None
    scaled_pinball: float | None = None
    weighted_quantile_loss: float | None = None
    coverage: float | None = None
    width: float | None = None
    standard_mse: float | None = None
    standard_mae: float | None = None
    r2: float | None = None


class Scale(NamedTuple):
    """What errors of a series are measured in, each [series]; NaN where its history says nothing.

    naive: mean absolute difference from season to season. deviation: standard deviation.
    """

    naive: Numbers
    deviation: Numbers

    def of(self, rows: Numbers) -> Scale:
        """The scale of the given series."""
        return Scale(self.naive[rows], self.deviation[rows])


def scale_of(history: Numbers, seasonality: int) -> Scale:
    """Scales of series by their history [series, slots]; a scale of zero is none."""
    past = history.astype(np.float64)
    naive = mean_of(np.abs(past[:, seasonality:] - past[:, :-seasonality]), axis=1)
    centred = past - mean_of(past, axis=1)[:, None]
    deviation = np.sqrt(mean_of(np.square(centred), axis=1))
    return Scale(*(np.where(scale > 0, scale, np.nan) for scale in (naive, deviation)))


def measure(actual: Numbers, answers: Numbers, levels: tuple[float, ...], scale: Scale) -> Measures:
    """Measure answers against what came true.

    actual: [series, N, horizon]. answers: [series, N, horizon, levels], or [..., 1] where a
    forecaster says one number, which then stands for every level and has no band. levels: as the
    manifest has them; the one nearest to .5 is taken for the median.
    """
    known = ~np.isnan(answers).any(axis=-1)
    truth = np.where(known, actual, np.nan).astype(np.float64)
    quantiles = answers.astype(np.float64)
    middle = int(np.abs(np.array(levels) - 0.5).argmin()) if answers.shape[-1] > 1 else 0
    median = quantiles[..., middle]
    naive, deviation = scale.naive[:, None, None], scale.deviation[:, None, None]
    error = truth - median
    squares, apart = np.square(error), np.abs(error)
    losses = pinball(truth, quantiles, levels)
    mse = _mean(squares)
    return Measures(
        mse=mse,
        mae=_mean(apart),
        rmse=None if mse is None else mse**0.5,
        smape=_mean(symmetric_error(truth, median)),
        mase=_mean(apart / naive),
        pinball=_mean(losses),
        scaled_pinball=_mean(losses / naive),
        weighted_quantile_loss=_weighted_quantile_loss(losses, truth),
        **_band(truth, quantiles),
        standard_mse=_mean(squares / np.square(deviation)),
        standard_mae=_mean(apart / deviation),
        r2=_determination(squares, truth),
    )


def symmetric_error(actual: Numbers, median: Numbers) -> Numbers:
    """Absolute percentage errors of M4's sMAPE; zero where both numbers are."""
    both = np.abs(actual) + np.abs(median)
    errors: Numbers = 200 * np.abs(actual - median) / np.where(both == 0, 1, both)
    return errors


def pinball(actual: Numbers, quantiles: Numbers, levels: tuple[float, ...]) -> Numbers:
    """Pinball losses [...], mean over the levels. actual: [...]. quantiles: [..., levels or 1]."""
    total = np.zeros_like(actual)
    for place, level in enumerate(levels):
        # One level at a time: all of them together are the largest array of a back-test.
        under = actual - quantiles[..., min(place, quantiles.shape[-1] - 1)]
        total += np.maximum(level * under, (level - 1) * under)
    losses: Numbers = total / len(levels)
    return losses


def with_owa(measures: Measures, naive2: Measures) -> Measures:
    """The measures with their OWA; None where Naive2 makes no error to compare with."""
    parts = (measures.smape, measures.mase, naive2.smape, naive2.mase)
    smape, mase, smape_2, mase_2 = parts
    if smape is None or mase is None or not smape_2 or not mase_2:
        return measures
    return msgspec.structs.replace(measures, owa=(smape / smape_2 + mase / mase_2) / 2)


def mean_of(numbers: Numbers, axis: int | tuple[int, ...]) -> Numbers:
    """Mean over an axis of what is not NaN; NaN, without a warning, where nothing is."""
    known = ~np.isnan(numbers)
    count = known.sum(axis=axis)
    total = np.where(known, numbers, 0).sum(axis=axis, dtype=np.float64)
    means: Numbers = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means


def _mean(numbers: Numbers) -> float | None:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if known.size else None


def _band(actual: Numbers, quantiles: Numbers) -> dict[str, float | None]:
    """Coverage and width of the band between the outermost levels; none of a single number."""
    if quantiles.shape[-1] == 1:
        return {}
    lower, upper = quantiles[..., 0], quantiles[..., -1]
    inside = ((lower <= actual) & (actual <= upper)).astype(float)
    unknown = np.isnan(actual)
    inside[unknown] = np.nan
    return {
        "coverage": _mean(inside),
        "width": _mean(np.where(unknown, np.nan, upper - lower)),
    }


def _weighted_quantile_loss(losses: Numbers, actual: Numbers) -> float | None:
    size = float(np.nansum(np.abs(actual)))
    return 2 * float(np.nansum(losses)) / size if size else None


def _determination(squares: Numbers, actual: Numbers) -> float | None:
    known = actual[~np.isnan(actual)]
    spread = float(np.square(known - known.mean()).sum()) if known.size else 0.0
    return 1 - float(np.nansum(squares)) / spread if spread else None
