"""Which periods a table repeats with: peaks of the autocorrelation of its changes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.data.places import evenly
from training.data.waves import Floats

Doubles = NDArray[np.float64]

SERIES_LOOKED_AT: Final = 200
"""Series whose autocorrelation is averaged, evenly chosen: more change little."""
LEAST_CORRELATION: Final = 0.2
"""Autocorrelation below which a peak is called no season."""
CERTAIN: Final = 4.0
"""Deviations of its own error above which an autocorrelation is more than chance."""
SEASONS: Final = 3
CLEARLY_STRONGER: Final = 1.2
LONGEST: Final = 2000
"""Slots of the longest season looked for."""
BLOCKS_IN_SEASON: Final = 8
"""A season is sought in means of up to an eighth of it: wider ones would flatten its shape,
narrower ones leave it to the noise."""


def seasons(values: Floats) -> list[tuple[int, float]]:
    """Periods of [series, slots] in slots, with their autocorrelation, strongest first.

    A period is a clear peak that does not merely repeat a shorter one.
    """
    looked_at = values[evenly(len(values), SERIES_LOOKED_AT)]
    known = int(np.sum(~np.isnan(looked_at)))
    lags = min((values.shape[1] - 1) // 3, LONGEST)
    best: list[tuple[int, float]] = []
    width, first = 1, 2
    while first < lags:
        found = autocorrelation(looked_at, lags, width)
        least = max(LEAST_CORRELATION, CERTAIN * _error(known, width))
        beyond = min(2 * BLOCKS_IN_SEASON * width, lags)
        for lag in (lag for lag in range(first, beyond) if _is_peak(found, lag, width, least)):
            # A multiple of a season repeats it, unless it does so far more strongly, as a week may.
            repeated = [found[period] for period, _ in best if _is_multiple(lag, period)]
            if not repeated or found[lag] > CLEARLY_STRONGER * max(repeated):
                best.append((lag, float(found[lag])))
        width, first = 2 * width, beyond
    return sorted(best, key=lambda season: -season[1])[:SEASONS]


def autocorrelation(values: Floats, lags: int, width: int = 1) -> Doubles:
    """Autocorrelation of the changes of [series, slots] at lags 0 to `lags`: the series' mean.

    Changes rather than levels, since a trend or a walk correlates at any lag. width: slots of the
    means between which they are taken, `width` apart; noise correlates by itself up to twice that.
    What is missing is left out of sums and counts. By way of the spectrum, in n log n (Wiener and
    Khinchin).
    """
    means = _moving_means(values.astype(np.float64), width)
    changes = means[:, width:] - means[:, :-width]
    known = ~np.isnan(changes)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, changes, 0).sum(axis=1, keepdims=True) / count
    centred = np.where(known, changes - mean, 0)
    pairs = np.maximum(_lagged_products(known.astype(np.float64), lags), 0.5)
    covariance = _lagged_products(centred, lags) / pairs
    variance = covariance[:, :1]
    usable = variance[:, 0] > 0
    if not usable.any():
        return np.zeros(lags + 1)
    # Few pairs at a lag make a wild estimate; a share of the series' own length is asked for.
    trusted = np.where(pairs > count / 4, covariance, 0)[usable] / variance[usable]
    mean_of_all: Doubles = trusted.mean(axis=0)
    return mean_of_all


def _moving_means(values: Doubles, width: int) -> Doubles:
    """Means of the known ones of `width` neighbours: [series, slots - width + 1]."""
    known = ~np.isnan(values)
    # From the first known value on, lest a large level drown what varies in the sums.
    level = np.take_along_axis(values, known.argmax(axis=1)[:, None], axis=1)
    counts = _moving_sums(known.astype(np.float64), width)
    sums = _moving_sums(np.where(known, values - level, 0), width)
    means: Doubles = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means


def _moving_sums(values: Doubles, width: int) -> Doubles:
    total = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    sums: Doubles = total[:, width:] - total[:, :-width]
    return sums


def _error(known: int, width: int) -> float:
    """Standard error of the autocorrelation of noise, `known` values of it, by Bartlett's formula.

    Changes of moving means correlate by themselves; the squares of that add up to 2/3 of the width.
    """
    return float(np.sqrt(2 / 3 * width / max(known, 1)))


def _is_peak(correlation: Doubles, lag: int, width: int, least: float) -> bool:
    """Whether it is clearly above nothing and above what lies before, and no lag near is above it.

    Up to twice the width even noise correlates, so the valley is sought after it.
    """
    height, reach = correlation[lag], max(lag // 10, 1)
    near = correlation[lag - reach : lag + reach + 1]
    valley = correlation[min(2 * width, lag - 1) : lag].min()
    return bool(min(height, height - valley) > least and height >= near.max())


def _is_multiple(lag: int, period: int) -> bool:
    """Whether it is one, give or take what a period's own error grows to."""
    return min(lag % period, -lag % period) <= 0.1 * period + 0.02 * lag


def _lagged_products(series: Doubles, lags: int) -> Doubles:
    """Sums of products with itself at lags 0 to `lags`: [series, lags + 1]."""
    size = 1 << (2 * series.shape[1] - 1).bit_length()
    spectrum = np.fft.rfft(series, size, axis=1)
    products: Doubles = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, : lags + 1]
    return products
