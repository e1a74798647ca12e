"""Repeating patterns: periods, harmonics, sharp shapes, and days that differ.

Every function draws `n` series at once. Time is counted in slots; amplitudes are about one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

PERIODS: Final = (6, 7, 8, 10, 12, 14, 16, 20, 24, 30, 36, 48, 52, 60, 72, 90, 96, 120, 144, 168)
DAY_LIKE: Final = (24, 48, 96)
"""Periods that are a day at a step of 60, 30 and 15 minutes: seven of them make a week."""


def standardise(values: Floats) -> Floats:
    """Bring each row of `values` [n, length] to mean 0 and deviation 1."""
    centred = values - values.mean(axis=1, keepdims=True)
    scaled: Floats = centred / np.maximum(centred.std(axis=1, keepdims=True), np.float32(1e-6))
    return scaled


def periodic(rng: Generator, periods: Ints, clock: Ints, harmonics: int) -> Floats:
    """Draw a wave of each of the `periods` [n]; `clock` [n, length] counts slots. → [n, length].

    Up to `harmonics` sines with amplitudes k**-decay: decay near 0.3 gives spikes and edges, near
    2 a smooth hill. Harmonics above half the period would alias and are left out.
    """
    n = len(periods)
    angle = (2 * np.pi * clock / periods[:, None]).astype(np.float32)
    order = np.arange(1, harmonics + 1)
    decay = rng.uniform(0.3, 2.0, (n, 1))
    size = rng.normal(size=(n, harmonics)) * order**-decay
    kept = np.minimum(rng.integers(1, harmonics + 1, n), periods // 2)
    size = np.where(order <= kept[:, None], size, 0.0).astype(np.float32)
    phase = rng.uniform(0, 2 * np.pi, (n, harmonics)).astype(np.float32)
    wave = np.zeros(clock.shape, np.float32)
    for k in range(harmonics):
        rows = np.flatnonzero(size[:, k])
        wave[rows] += size[rows, k, None] * np.sin((k + 1) * angle[rows] + phase[rows, k, None])
    return standardise(wave)


def sharpen(rng: Generator, wave: Floats) -> Floats:
    """Bend `wave` [n, length]: as it is, peaked, an on-off plateau, or cut off at a floor."""
    n = len(wave)
    force = rng.uniform(0.5, 2.5, (n, 1)).astype(np.float32)
    cut = rng.uniform(-0.8, 0.8, (n, 1)).astype(np.float32)
    shapes = (wave, np.exp(np.minimum(force * wave, 4)), np.tanh(2 * force * (wave - cut)))
    kind = rng.choice(4, n, p=(0.5, 0.2, 0.15, 0.15))[:, None]
    return standardise(np.select([kind == 0, kind == 1, kind == 2], shapes, np.maximum(wave, cut)))


def per_cycle(cycle: Ints, draws: Floats) -> Floats:
    """Look up, for each slot of `cycle` [n, length], its cycle's entry of `draws` [n, cycles]."""
    return np.take_along_axis(draws, cycle, axis=1)


def weekly(rng: Generator, wave: Floats, other: Floats, cycle: Ints) -> Floats:
    """Give the sixth and seventh of seven cycles another level, amplitude and at times shape.

    `wave` and `other` [n, length] are the pattern of a working day and a candidate for the
    weekend's; `cycle` [n, length] numbers the days.
    """
    n = len(wave)
    free_days = rng.choice((1, 2), (n, 1), p=(0.25, 0.75))
    weekend = (cycle + rng.integers(0, 7, (n, 1))) % 7 >= 7 - free_days
    level = rng.normal(-0.3, 0.7, (n, 1)).astype(np.float32)
    amplitude = rng.uniform(0.1, 1.3, (n, 1)).astype(np.float32)
    shape = np.where(rng.random((n, 1)) < 0.3, 0.6 * other + 0.4 * wave, wave)
    return np.where(weekend, level + amplitude * shape, wave)


def evolve(rng: Generator, early: Floats, late: Floats) -> Floats:
    """Let one pattern pass slowly into another; both are [n, length]."""
    n, length = early.shape
    start = rng.integers(-length // 2, length, (n, 1))
    share = np.clip((np.arange(length) - start) / rng.uniform(100, 900, (n, 1)), 0, 0.7)
    mixed: Floats = (early + share * (late - early)).astype(np.float32)
    return mixed


def seasonal(rng: Generator, periods: Ints, length: int, harmonics: int) -> Floats:
    """Draw a seasonal pattern for each of the `periods` [n]. → [n, length], deviation about 1.

    Cycles vary a little in size; some patterns evolve; most day-like periods know weekends; a
    quarter of the series has a second, weaker season.
    """
    n = len(periods)
    clock = np.arange(length) + rng.integers(0, periods * 7)[:, None]
    cycle = clock // periods[:, None]
    cycle -= cycle.min(axis=1, keepdims=True)
    wave = sharpen(rng, periodic(rng, periods, clock, harmonics))
    rows = np.flatnonzero(rng.random(n) < 0.3)
    later = sharpen(rng, periodic(rng, periods[rows], clock[rows], harmonics))
    wave[rows] = evolve(rng, wave[rows], later)
    rows = np.flatnonzero(np.isin(periods, DAY_LIKE) & (rng.random(n) < 0.6))
    other = sharpen(rng, periodic(rng, periods[rows], clock[rows], harmonics))
    wave[rows] = weekly(rng, wave[rows], other, cycle[rows])
    spread = rng.choice((0.0, 1.0), (n, 1), p=(0.4, 0.6)) * rng.uniform(0.0, 0.25, (n, 1))
    jitter = np.exp(spread * rng.normal(size=(n, int(cycle.max()) + 1))).astype(np.float32)
    wave *= per_cycle(cycle, jitter)
    rows = np.flatnonzero(rng.random(n) < 0.25)
    second = rng.choice(PERIODS, len(rows))
    weight = rng.uniform(0.1, 0.8, (len(rows), 1)).astype(np.float32)
    wave[rows] += weight * periodic(rng, second, clock[rows], harmonics)
    return wave
