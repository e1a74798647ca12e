"""The mixture of synthetic series from which the general models learn.

A series is one of five kinds (shares in `Mixture`), then may be bent to positive values, rounded
to counts, and given outliers and missing runs. docs/training.md describes the mixture in words.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.random import Generator

from training.data import disturbances, waves
from training.data.waves import PERIODS, Floats, standardise


class Mixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of the five kinds (scaled to sum to one) and what else is mixed in."""

    seasonal: float = 0.70
    walk: float = 0.10
    noisy: float = 0.06
    intermittent: float = 0.07
    regime: float = 0.07
    daily: float = 0.5
    """Share of the seasonal series whose period is 24."""
    harmonics: int = 12
    noise_low: float = 0.003
    noise_high: float = 0.6
    """Bounds of the noise's deviation in a seasonal series, whose season has deviation 1."""
    positive: float = 0.25
    counts: float = 0.08
    outliers: float = 0.12
    missing: float = 0.25


def draw(mixture: Mixture, seed: Sequence[int], count: int, length: int) -> Floats:
    """Draw `count` series of `length` slots, NaN where missing. → float32 [count, length].

    The same arguments give the same series.
    """
    rng = np.random.default_rng(seed)
    makers = (_seasonal, _walk, _noisy, _intermittent, _regime)
    shares = np.array(
        [mixture.seasonal, mixture.walk, mixture.noisy, mixture.intermittent, mixture.regime]
    )
    kind = rng.choice(len(makers), count, p=shares / shares.sum())
    values = np.empty((count, length), np.float32)
    for number, maker in enumerate(makers):
        rows = np.flatnonzero(kind == number)
        if rows.size:
            values[rows] = maker(rng, mixture, rows.size, length)
    return _finish(rng, mixture, values, bendable=kind != makers.index(_intermittent))


def _seasonal(rng: Generator, mixture: Mixture, n: int, length: int) -> Floats:
    """A season on a wandering level: half of them daily."""
    periods = np.where(rng.random(n) < mixture.daily, 24, rng.choice(PERIODS, n))
    season = waves.seasonal(rng, periods, length, mixture.harmonics)
    growth = (rng.random((n, 1)) < 0.4) * disturbances.trends(rng, n, length)
    values = season * np.exp(np.clip(0.5 * growth, -1, 1))
    strength = disturbances.log_uniform(rng, 0.002, 0.3, n) * (rng.random((n, 1)) < 0.7)
    values += strength * disturbances.walks(rng, n, length)
    values += (rng.random((n, 1)) < 0.4) * disturbances.trends(rng, n, length)
    values += (rng.random((n, 1)) < 0.12) * disturbances.shifts(rng, n, length)
    level = disturbances.log_uniform(rng, mixture.noise_low, mixture.noise_high, n)
    # Where the season is high the noise is often higher, or lower.
    tilt = rng.uniform(-0.7, 0.7, (n, 1)) * (rng.random((n, 1)) < 0.4)
    level = level * np.exp(tilt * np.clip(season, -2, 2)).astype(np.float32)
    noisy: Floats = values + level * disturbances.noise(rng, n, length)
    return noisy


def _walk(rng: Generator, _mixture: Mixture, n: int, length: int) -> Floats:
    """A random walk, reverting or smooth, at times with a trend and with noise on top."""
    values = disturbances.walks(rng, n, length)
    drift = standardise(values).std(axis=1, keepdims=True) * np.float32(length**0.5)
    values += drift * (rng.random((n, 1)) < 0.3) * disturbances.trends(rng, n, length)
    level = disturbances.log_uniform(rng, 0.02, 3, n)
    return values + level * disturbances.noise(rng, n, length)


def _noisy(rng: Generator, _mixture: Mixture, n: int, length: int) -> Floats:
    """Noise around a level that may have a trend or jump."""
    values = disturbances.noise(rng, n, length)
    values += 3 * (rng.random((n, 1)) < 0.3) * disturbances.trends(rng, n, length)
    return values + 3 * (rng.random((n, 1)) < 0.3) * disturbances.shifts(rng, n, length)


def _intermittent(rng: Generator, mixture: Mixture, n: int, length: int) -> Floats:
    """Mostly zero; events come at a rate that may have a season, sizes are skewed or whole."""
    rate = disturbances.log_uniform(rng, 0.03, 0.6, n)
    season = waves.seasonal(rng, rng.choice(PERIODS, n), length, mixture.harmonics)
    rate = rate * np.exp((rng.random((n, 1)) < 0.4) * season)
    size = np.exp(rng.uniform(0.1, 1, (n, 1)) * rng.normal(size=(n, length)))
    size = np.where(rng.random((n, 1)) < 0.5, np.ceil(3 * size), size)
    return np.where(rng.random((n, length)) < rate, size, 0.0).astype(np.float32)


def _regime(rng: Generator, _mixture: Mixture, n: int, length: int) -> Floats:
    """A machine that is idle or busy: two levels, each with its own noise, random stays."""
    leave = disturbances.log_uniform(rng, 0.005, 0.2, n)
    flips = np.cumsum(rng.random((n, length)) < leave, axis=1) % 2
    noise = disturbances.noise(rng, n, length)
    idle = disturbances.log_uniform(rng, 0.01, 0.3, n) * noise
    busy = 1 + disturbances.log_uniform(rng, 0.01, 0.5, n) * noise
    return np.where(flips == 1, busy, idle).astype(np.float32)


def _finish(
    rng: Generator,
    mixture: Mixture,
    values: Floats,
    bendable: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Floats:
    """Bend some rows of `values` to positive numbers or counts; add outliers and missing runs."""
    n, length = values.shape
    lot = rng.random(n)
    rows = np.flatnonzero(bendable & (lot < mixture.positive + mixture.counts))
    force = rng.uniform(0.2, 1.0, (rows.size, 1)).astype(np.float32)
    values[rows] = np.exp(force * np.clip(standardise(values[rows]), -6, 6))
    rows = np.flatnonzero(bendable & (lot < mixture.counts))
    values[rows] = rng.poisson(values[rows] * disturbances.log_uniform(rng, 1, 100, rows.size))
    rows = np.flatnonzero(rng.random(n) < mixture.outliers)
    values[rows] = disturbances.outliers(rng, values[rows])
    rows = np.flatnonzero(rng.random(n) < mixture.missing)
    gone = disturbances.missing(rng, rows.size, length)
    values[rows] = np.where(gone, np.float32(np.nan), values[rows])
    return values
