"""Series on which float32 graphs break: what the parity gate and the tests feed every model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.random import Generator

from training.data.synthetic import Mixture, draw
from training.data.waves import Floats

Maker = Callable[[Generator, int], Floats]


def _walk(rng: Generator, slots: int) -> Floats:
    return np.cumsum(rng.standard_normal(slots, np.float32))


def _wave(rng: Generator, slots: int) -> Floats:
    clean = np.sin(np.arange(slots) * 2 * np.pi / 24)
    return (clean + 0.1 * rng.standard_normal(slots)).astype(np.float32)


def _runs_missing(rng: Generator, slots: int) -> Floats:
    values = _wave(rng, slots)
    values[(np.arange(slots) // 37) % 3 == 1] = np.nan
    return values


def _long_silence(rng: Generator, slots: int) -> Floats:
    """Longer than a window of 96: for a while nothing in it is known."""
    values = _wave(rng, slots)
    values[slots // 5 : slots // 5 + 150] = np.nan
    return values


def _once(_rng: Generator, slots: int) -> Floats:
    values = np.full(slots, np.nan, np.float32)
    values[slots // 3] = 41.5
    return values


def _step_up(_rng: Generator, slots: int) -> Floats:
    return np.where(np.arange(slots) < slots // 2, 0.0, 1e30).astype(np.float32)


def _intermittent(rng: Generator, slots: int) -> Floats:
    return np.where(rng.random(slots) < 0.04, rng.integers(1, 9, slots), 0).astype(np.float32)


MAKERS: Final[dict[str, Maker]] = {
    "wave": _wave,
    "walk": _walk,
    "missing runs": _runs_missing,
    "long silence": _long_silence,
    "nothing known": lambda _rng, slots: np.full(slots, np.nan, np.float32),
    "known once": _once,
    "constant": lambda _rng, slots: np.full(slots, 0.1, np.float32),
    "zeros": lambda _rng, slots: np.zeros(slots, np.float32),
    "huge, 1e30": lambda rng, slots: np.float32(1e30) * _walk(rng, slots),
    "tiny, 1e-20": lambda rng, slots: np.float32(1e-20) * _wave(rng, slots),
    "offset, 1e6": lambda rng, slots: np.float32(1e6) + _wave(rng, slots),
    "step to 1e30": _step_up,
    "intermittent": _intermittent,
    "synthetic": lambda rng, slots: draw(Mixture(), (int(rng.integers(2**31)),), 1, slots)[0],
}
"""By name: a maker of one series of the given number of slots."""


def hostile_series(count: int, slots: int, seed: int) -> tuple[list[str], Floats]:
    """Make `count` series, all kinds in turn, each with noise of its own. → kinds, values."""
    rng = np.random.default_rng(seed)
    kinds = [list(MAKERS)[number % len(MAKERS)] for number in range(count)]
    return kinds, np.stack([MAKERS[kind](rng, slots) for kind in kinds])
