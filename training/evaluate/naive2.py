"""The seasons of M4's Naive2: a test for a season, and classical decomposition.

As in the competition's own benchmarks (github.com/Mcompetitions/M4-methods, "Benchmarks and
Evaluation.R"): a series is seasonal when its autocorrelation at the seasonal lag exceeds
1.645 of Bartlett's standard errors, and is then decomposed by centred moving averages.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from training.evaluate.metrics import Numbers, mean_of

CRITICAL: Final = 1.645
"""Of the normal distribution: 90 %, both sides."""
LEAST_SEASONS: Final = 3


class Seasons(NamedTuple):
    """factors: [series, seasonality] by slot modulo the seasonality; multiplied: [series]."""

    factors: Numbers
    multiplied: Numbers

    def at(self, phases: Numbers) -> Numbers:
        """Factors [series, ...] of the given phases [...]."""
        return self.factors[:, phases]

    def off(self, values: Numbers, factors: Numbers) -> Numbers:
        """Values [series, N] without their seasons."""
        multiplied = self.multiplied[:, None]
        return np.where(multiplied, values / np.where(multiplied, factors, 1), values - factors)

    def on(self, levels: Numbers, factors: Numbers) -> Numbers:
        """Levels [series, N, 1] with the seasons [series, N, horizon]."""
        return np.where(self.multiplied[:, None, None], levels * factors, levels + factors)


def seasonal_factors(history: Numbers, seasonality: int) -> Seasons:
    """Decompose each series [series, slots]; leading NaN are before it begins.

    Factors multiply, as M4 has it, where all values are positive; elsewhere they are added, which
    M4's series never need.
    """
    factors = np.empty((len(history), seasonality))
    multiplied = np.array([bool((_begun(row) > 0).all()) for row in history], np.bool_)
    for row, (series, times) in enumerate(zip(history, multiplied, strict=True)):
        known = _begun(series)
        if is_seasonal(known, seasonality):
            found = _decomposed(known, seasonality, bool(times))
            factors[row] = np.roll(found, (len(series) - len(known)) % seasonality)
        else:
            factors[row] = 1 if times else 0
    return Seasons(factors, multiplied)


def is_seasonal(series: Numbers, seasonality: int) -> bool:
    """M4's test on a whole series [slots]; never true of fewer than three seasons."""
    if seasonality < 2 or len(series) < LEAST_SEASONS * seasonality:
        return False
    centred = series - series.mean()
    energy = float(np.square(centred).sum())
    if energy == 0:
        return False
    lags = range(1, seasonality + 1)
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in lags]) / energy
    spread = np.sqrt((1 + 2 * np.square(correlations[:-1]).sum()) / len(series))
    return bool(abs(correlations[-1]) > CRITICAL * spread)


def _decomposed(series: Numbers, seasonality: int, multiplied: bool) -> Numbers:
    """Classical seasonal factors by phase [seasonality], of mean 1, or 0 where they are added."""
    half = seasonality // 2
    if seasonality % 2:
        weights = np.full(seasonality, 1 / seasonality)
    else:
        weights = np.r_[0.5, np.ones(seasonality - 1), 0.5] / seasonality
    trend = np.convolve(series, weights, "valid")
    inner = series[half : half + len(trend)]
    apart = np.full(-(-len(series) // seasonality) * seasonality, np.nan)
    apart[half : half + len(trend)] = inner / trend if multiplied else inner - trend
    by_phase = mean_of(apart.reshape(-1, seasonality), axis=0)
    factors: Numbers = by_phase / by_phase.mean() if multiplied else by_phase - by_phase.mean()
    return factors


def _begun(series: Numbers) -> Numbers:
    known: Numbers = series[~np.isnan(series)]
    return known
