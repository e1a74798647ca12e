"""The shape of a row, which is also the unit of a checkpoint: its bytes are what Redis holds."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
import numpy as np

from stream.grid import IntArray

LAYOUT_VERSION: Final = 2
LONG_STEP_S: Final = 2**32 // 1000 - 1
"""Longest step, 49 days, whose milliseconds fit into 32 bits."""


class Layout(msgspec.Struct, frozen=True):
    """The shape of a row, and what its numbers mean. Rows of one layout cannot be read as another.

    averaged, summed: channels whose values in a slot combine to their mean or their sum; the last
    counts in all others. remembered: how many event ids a row holds.
    """

    context: int
    channels: int
    state_size: int
    grace: int
    averaged: tuple[int, ...] = ()
    summed: tuple[int, ...] = ()
    remembered: int = 0
    step_seconds: int = 1

    def dtype(self) -> np.dtype[np.void]:
        """`marks` and `totals`, for the newest grace + 1 slots, are those of `Cells`.

        `born` is the record time that began the series, in seconds, `wrapped`. `events` holds
        the hashes of the newest event ids, newest last, 0 where there is none. `before` is the
        state before the newest slot, which a second value for it goes back to.
        """
        added = len(self.averaged) + len(self.summed)
        mark = "<u4" if self.step_seconds <= LONG_STEP_S else "<u8"
        return np.dtype(
            [
                ("newest", "<i8"),
                ("span", "<i4"),
                ("born", "<u4"),
                ("events", "<u8", (self.remembered,)),
                ("totals", "<f8", (self.grace + 1, added)),
                ("marks", mark, (self.grace + 1, self.channels)),
                ("window", "<f4", (self.context, self.channels)),
                ("state", "<f4", (self.state_size,)),
                ("before", "<f4", (self.state_size,)),
            ]
        )

    def fingerprint(self) -> str:
        """Names the layout in a checkpoint: 16 hex digits."""
        text = f"{LAYOUT_VERSION} {self.dtype().descr} {self}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def wrapped(seconds: IntArray) -> IntArray:
    """Seconds as a row keeps them: modulo 2^32, which is 136 years."""
    return seconds % 2**32
