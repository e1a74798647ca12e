"""What is in a table: gaps, outliers, ranges, seasons and classes, as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.grid import BoolArray
from training.data.cleaning.filling import last_known
from training.data.cleaning.outliers import GAUSSIAN, median
from training.data.table import Loaded, Table
from training.data.waves import Floats

Doubles = NDArray[np.float64]

FAR: Final = 5.0
"""Robust deviations from the median beyond which a value is called an outlier."""
SERIES_LOOKED_AT: Final = 200
"""Series whose autocorrelation is averaged, evenly chosen: more change little."""
LEAST_CORRELATION: Final = 0.2
"""Autocorrelation below which a peak is called no season."""
SEASONS: Final = 3
CLEARLY_STRONGER: Final = 1.2


class ChannelProfile(NamedTuple):
    """One channel over all series, in its own units.

    missing: share of its slots. outliers: values further than FAR robust deviations (1.4826 times
    the median absolute deviation) from their series' median. constant, empty: series of one value,
    and of none. seasons: (period in slots, autocorrelation), strongest first.
    """

    name: str
    least: float
    median: float
    mean: float
    greatest: float
    missing: float
    longest_gap: int
    outliers: int
    constant: int
    empty: int
    seasons: list[tuple[int, float]]


class Profile(NamedTuple):
    """What is there. irregular: share of the distances between rows that are not the step.

    rows: as read. combined: values that met another one in their slot (duplicates, or a coarser
    step). labels: how many slots have each value of the label.
    """

    series: int
    slots: int
    step_seconds: int
    first: datetime
    last: datetime
    files: int
    rows: int
    combined: int
    irregular: float
    channels: list[ChannelProfile]
    labels: dict[float, int]
    covariates: tuple[str, ...]


def profile(loaded: Loaded) -> Profile:
    """Look through a table as it was read."""
    table = loaded.table
    first = datetime.fromtimestamp(table.first, UTC)
    slots = table.values.shape[1]
    return Profile(
        series=len(table.names),
        slots=slots,
        step_seconds=table.step_seconds,
        first=first,
        last=first + timedelta(seconds=(slots - 1) * table.step_seconds),
        files=loaded.counts["files"],
        rows=loaded.counts["rows"],
        combined=loaded.counts["combined"],
        irregular=loaded.irregular,
        channels=[_channel(table, number) for number in range(len(table.channels))],
        labels=_labels(table),
        covariates=table.covariates,
    )


def outliers(values: Floats) -> BoolArray:
    """Which values of [series, slots] are far from the median of their series."""
    middle = median(values)[:, None]
    # In double precision: the distance of two large values may overflow.
    distance = np.abs(values.astype(np.float64) - middle)
    spread = median(distance.astype(np.float32))[:, None]
    far: BoolArray = (spread > 0) & (distance > FAR * GAUSSIAN * spread)
    return far


def autocorrelation(values: Floats, lags: int) -> Doubles:
    """Autocorrelation of the changes of [series, slots] at lags 0 to `lags`: the series' mean.

    Changes rather than levels, since a trend or a walk correlates at any lag. What is missing is
    left out of sums and counts. By way of the spectrum, in n log n (Wiener and Khinchin).
    """
    changes = np.diff(values.astype(np.float64), axis=1)
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


def seasons(values: Floats) -> list[tuple[int, float]]:
    """Periods of [series, slots] in slots, with their autocorrelation, strongest first.

    A period is a clear peak that does not merely repeat a shorter one.
    """
    chosen = np.linspace(0, len(values) - 1, min(len(values), SERIES_LOOKED_AT)).astype(int)
    lags = min((values.shape[1] - 1) // 3, 2000)
    if lags < 3:
        return []
    found = autocorrelation(values[chosen], lags)
    best: list[tuple[int, float]] = []
    for lag in (lag for lag in range(2, lags) if _is_peak(found, lag)):
        # A multiple of a season repeats it, unless it does so far more strongly, as a week may.
        repeated = [r for period, r in best if _is_multiple(lag, period)]
        if not repeated or found[lag] > CLEARLY_STRONGER * max(repeated):
            best.append((lag, float(found[lag])))
    return sorted(best, key=lambda season: -season[1])[:SEASONS]


def _is_peak(correlation: Doubles, lag: int) -> bool:
    """Whether it is clearly above nothing and above what lies before, and no lag near is above it.

    Noise on the values makes the first lag low by itself, so the valley is sought after it.
    """
    height, reach = correlation[lag], max(lag // 10, 1)
    near = correlation[lag - reach : lag + reach + 1]
    valley = correlation[min(2, lag - 1) : lag].min()
    return bool(min(height, height - valley) > LEAST_CORRELATION and height >= near.max())


def _is_multiple(lag: int, period: int) -> bool:
    """Whether it is one, give or take what a period's own error grows to."""
    return min(lag % period, -lag % period) <= 0.1 * period + 0.02 * lag


def _lagged_products(series: Doubles, lags: int) -> Doubles:
    """Sums of products with itself at lags 0 to `lags`: [series, lags + 1]."""
    size = 1 << (2 * series.shape[1] - 1).bit_length()
    spectrum = np.fft.rfft(series, size, axis=1)
    products: Doubles = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, : lags + 1]
    return products


def _channel(table: Table, number: int) -> ChannelProfile:
    values = table.values[..., number]
    known = values[~np.isnan(values)]
    low, high = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    return ChannelProfile(
        name=table.channels[number],
        least=float(known.min(initial=np.inf)),
        median=float(median(known)),
        mean=float(known.mean(dtype=np.float64)) if known.size else np.nan,
        greatest=float(known.max(initial=-np.inf)),
        missing=1 - known.size / values.size,
        longest_gap=_longest_gap(values),
        outliers=int(outliers(values).sum()),
        constant=int((high == low).sum()),
        empty=int(np.isnan(low).sum()),
        seasons=seasons(values),
    )


def _longest_gap(values: Floats) -> int:
    """Slots of the longest gap between two known values of one series."""
    before = last_known(values[..., None])[:, :-1, 0]
    inside = (before >= 0) & ~np.isnan(values[:, 1:])
    gaps = np.arange(values.shape[1] - 1) - before
    return int(np.where(inside, gaps, 0).max(initial=0))


def _labels(table: Table) -> dict[float, int]:
    if table.labels is None:
        return {}
    found, counts = np.unique(table.labels[~np.isnan(table.labels)], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
