"""The grid of a stream: timestamps to slots, and what a slot means to a series. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
AnyArray = NDArray[Any]

FLOAT32_MAX: Final = float(np.finfo(np.float32).max)

NEVER: Final = np.iinfo(np.int64).min
"""The newest slot of a series that has none."""


def slots_of(timestamps_ms: IntArray, step_seconds: int) -> IntArray:
    """Slot numbers of timestamps [B]: floor(timestamp / step)."""
    return timestamps_ms // (step_seconds * 1000)


def rounds(rows: IntArray) -> Iterator[IntArray]:
    """Split a batch into rounds in which a series occurs once, its events in order.

    rows: [B] row number of each event. Yields the positions [b] of each round's events; the
    rounds together hold every position once.
    """
    if len(set(rows.tolist())) == len(rows):
        # As nearly always in a small batch, which should not pay for two sorts.
        yield from [np.arange(len(rows))] if len(rows) else []
        return
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(rows)])
    # Most frequent series first: those that still have an n-th event are then a prefix.
    starts = starts[np.argsort(-lengths, kind="stable")]
    remaining = np.sort(lengths)
    for turn in range(int(remaining[-1])):
        still = len(remaining) - np.searchsorted(remaining, turn, side="right")
        yield np.sort(order[starts[:still] + turn])
