"""What is not seasonal: walks, trends, shifts, noise, outliers and missing runs.

Every function draws `n` series at once, as float32 [n, length].
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from training.data.waves import Floats, standardise


def log_uniform(rng: Generator, low: float, high: float, n: int) -> Floats:
    """Draw [n, 1] numbers whose logarithm is uniform between those of `low` and `high`."""
    return np.exp(rng.uniform(np.log(low), np.log(high), (n, 1))).astype(np.float32)


def autoregressive(rng: Generator, memory: Floats, length: int) -> Floats:
    """Draw y[t] = memory · y[t-1] + e[t], e of deviation 1; `memory` is [n, 1], 1 for a walk."""
    steps = rng.standard_normal((length, len(memory)), np.float32)
    for t in range(1, length):
        steps[t] += memory[:, 0] * steps[t - 1]
    return np.ascontiguousarray(steps.T)


def walks(rng: Generator, n: int, length: int) -> Floats:
    """Draw levels that wander by about one a slot: pure walks, reverting ones, smooth ones."""
    memory = np.where(rng.random((n, 1)) < 0.5, 1.0, 1 - log_uniform(rng, 0.003, 0.2, n))
    level = autoregressive(rng, memory.astype(np.float32), length)
    rows = np.flatnonzero(rng.random(n) < 0.2)
    speed = autoregressive(rng, 1 - log_uniform(rng, 0.02, 0.5, len(rows)), length)
    level[rows] = np.cumsum(0.3 * speed, axis=1)
    return level


def trends(rng: Generator, n: int, length: int) -> Floats:
    """Draw straight or once-bent trends that climb by about one over the whole length."""
    time = np.linspace(0, 1, length, dtype=np.float32)
    slope, bend = rng.normal(size=(2, n, 1)).astype(np.float32)
    knot = rng.random((n, 1)).astype(np.float32)
    bend *= rng.random((n, 1)) < 0.4
    line: Floats = slope * time + bend * np.maximum(time - knot, 0)
    return line


def shifts(rng: Generator, n: int, length: int) -> Floats:
    """Draw a level that jumps at one to three random slots, by about one."""
    level = np.zeros((n, length), np.float32)
    for _ in range(3):
        at = rng.integers(0, length, (n, 1))
        size = rng.normal(size=(n, 1)) * rng.choice((0.0, 1.0), (n, 1), p=(0.4, 0.6))
        level += (np.arange(length) >= at) * size.astype(np.float32)
    return level


def noise(rng: Generator, n: int, length: int) -> Floats:
    """Draw noise of deviation about 1: Gaussian, heavy-tailed, or with memory."""
    kind = rng.choice(3, n, p=(0.45, 0.15, 0.4))
    values = rng.standard_normal((n, length), np.float32)
    rows = np.flatnonzero(kind == 1)
    values[rows] = rng.standard_t(3, (len(rows), length)) / 1.7
    rows = np.flatnonzero(kind == 2)
    memory = rng.uniform(0.2, 0.95, (len(rows), 1)).astype(np.float32)
    values[rows] = standardise(autoregressive(rng, memory, length))
    return values * volatility(rng, n, length)


def volatility(rng: Generator, n: int, length: int) -> Floats:
    """Draw what noise is multiplied by: one for half of the series, else calm and wild times."""
    memory = 1 - log_uniform(rng, 0.004, 0.1, n)
    mood = standardise(autoregressive(rng, memory, length))
    strength = rng.uniform(0.2, 0.9, (n, 1)) * (rng.random((n, 1)) < 0.5)
    scale: Floats = np.exp(strength * mood).astype(np.float32)
    return scale


def outliers(rng: Generator, values: Floats) -> Floats:
    """Add rare spikes of several deviations to `values` [n, length]."""
    rate = log_uniform(rng, 0.001, 0.01, len(values))
    hit = rng.random(values.shape, np.float32) < rate
    size = values.std(axis=1, keepdims=True) * rng.normal(0, 5, values.shape)
    spikes: Floats = (hit * size).astype(np.float32)
    return values + spikes


def missing(rng: Generator, n: int, length: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Say which slots are missing, [n, length]: single ones, runs, and a late beginning."""
    single = rng.random((n, length), np.float32) < log_uniform(rng, 0.001, 0.1, n)
    time = np.arange(length)
    gone = single & (rng.random((n, 1)) < 0.5)
    for _ in range(3):
        start = rng.integers(0, 2 * length, (n, 1))
        run = log_uniform(rng, 2, 60, n)
        gone |= (time >= start) & (time < start + run)
    late = rng.integers(0, length // 3, (n, 1)) * (rng.random((n, 1)) < 0.3)
    return gone | (time < late)
