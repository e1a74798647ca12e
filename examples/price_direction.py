"""Prices that are generated, with a little in them that can be told ahead.

The next move follows, weakly, from how far orders to buy outweighed orders to sell before it
(`imbalance`), and calm and wild times last. Real prices promise less: this shows the task, and says
nothing of any market.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator

from training.evaluate.metrics import Numbers

BEGIN: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a file names no zone, and means UTC
STEP: Final = timedelta(minutes=15)
USUAL: Final = 0.001
"""Deviation of a move, as a share of the price, in times neither calm nor wild."""
TOLD: Final = 0.3
"""Correlation of a move with the imbalance before it."""
DAY_SLOTS: Final = 96
FLAT: Final = 0.5
"""A move is flat when it is smaller than this share of the day's mean move before it."""
DIRECTIONS: Final = ("down", "flat", "up")


def history(instruments: int = 8, slots: int = 6000, seed: int = 6) -> pl.DataFrame:
    """A row a quarter of an hour: series_id, timestamp, price, move (%), imbalance, `direction`.

    The direction is that of the move from the slot before to this one; a model with a lead of 1 is
    asked for the next.
    """
    return pl.concat(
        [
            _instrument(np.random.default_rng((seed, number)), f"share-{number}", slots)
            for number in range(instruments)
        ]
    )


def _instrument(rng: Generator, name: str, slots: int) -> pl.DataFrame:
    imbalance = _lasting(rng, slots, memory=0.8)
    deviation = USUAL * np.exp(0.5 * _lasting(rng, slots, memory=0.98))
    surprise = np.sqrt(1 - TOLD**2) * rng.normal(size=slots)
    moves = deviation * (TOLD * np.roll(imbalance, 1) + surprise)
    return pl.DataFrame(
        {
            "series_id": [name] * slots,
            "timestamp": [BEGIN + STEP * slot for slot in range(slots)],
            "price": (100 * np.exp(np.cumsum(moves))).round(4),
            "move": (100 * moves).round(4),
            "imbalance": imbalance.round(4),
            "direction": directions(moves),
        }
    )


def directions(moves: Numbers) -> list[str | None]:
    """The direction of each move [N]; None for the first day, which has no day before it."""
    sizes = np.concatenate(([0.0], np.cumsum(np.abs(moves))))
    day_before = (sizes[DAY_SLOTS:-1] - sizes[: -DAY_SLOTS - 1]) / DAY_SLOTS
    known = moves[DAY_SLOTS:]
    found = 1 + np.sign(known) * (np.abs(known) >= FLAT * day_before)
    return [None] * DAY_SLOTS + [DIRECTIONS[int(place)] for place in found]


def _lasting(rng: Generator, slots: int, memory: float) -> Numbers:
    """Noise of deviation 1 that forgets slowly: each value is `memory` times the one before."""
    fresh = np.sqrt(1 - memory**2) * rng.normal(size=slots)
    found = np.empty(slots)
    value = rng.normal()
    for slot in range(slots):
        found[slot] = value = memory * value + fresh[slot]
    return found
