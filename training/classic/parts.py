"""Which rows an estimator learns from, and which are held back to measure its errors."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from stream.grid import IntArray
from tidecast.errors import DataError

HELD: Final = 0.2
"""Share of the rows, the newest ones, that is held back."""
FEWEST: Final = 40
"""Rows that a fit needs: fewer held back would say nothing of the outer levels."""


class Parts(NamedTuple):
    """Numbers of rows, oldest first: those to learn from, and those held back."""

    taught: IntArray
    held: IntArray


def split_by_time(origins: IntArray, reach_s: int) -> Parts:
    """Hold the newest rows back; leave out those that would look into their time.

    origins: [N] seconds. reach_s: how far behind its origin a row's last target lies, in seconds.
    Rows of one time keep their order. Raises DataError on fewer than `FEWEST` rows.
    """
    order = np.argsort(origins, kind="stable")
    taught, held = np.split(order, [round((1 - HELD) * len(order))])
    if len(order) >= FEWEST:
        taught = taught[origins[taught] + reach_s <= origins[held[0]]]
    if len(order) < FEWEST or len(taught) < FEWEST // 2:
        raise DataError(
            f"{len(order)} windows with known targets, {len(taught)} of them to learn from, are "
            "too few for a classic family; bring a longer history or a shorter horizon"
        )
    return Parts(taught, held)


def at_most(rows: int, chosen: IntArray, groups: IntArray, seed: int) -> IntArray:
    """Draw about `rows` of the `chosen` rows, in their order, from each group the same share.

    groups: [N] of the chosen ones; each keeps at least one row.
    """
    share = min(rows / max(len(chosen), 1), 1.0)
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = [rng.choice(part, math.ceil(share * len(part)), replace=False) for part in members]
    kept: IntArray = chosen[np.sort(np.concatenate(drawn))]
    return kept
