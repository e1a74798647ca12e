"""Series that end: those that fall too far behind the newest series of their partition.

They are looked for in sweeps. A sweep happens right after the event with which the partition's
watermark enters another stretch of slots, wherever batches begin or end: the watermark is the
newest slot of any series in the table, so a replay from a checkpoint sweeps alike.
"""

from __future__ import annotations

import numpy as np

from stream.grid import NEVER, BoolArray, IntArray
from stream.series.table import SeriesTable


class Lifetimes:
    """When to sweep, and which series have ended."""

    def __init__(self, end_after_slots: int) -> None:
        """end_after_slots: how far behind a series has ended; 0 for never."""
        self._end_after = end_after_slots
        # A fourth: a series goes at most that much too late, and a sweep looks at every row.
        self._every = max(1, end_after_slots // 4)

    def until_sweep(self, table: SeriesTable, slots: IntArray, usable: BoolArray) -> int:
        """How many of the next events to apply before `ended` must be asked.

        slots: [B] of the events that come next, at least one. usable: [B] those not yet refused.
        """
        if not self._end_after:
            return len(slots)
        enters = usable & (slots // self._every > table.watermark // self._every)
        first = int(enters.argmax())
        return first + 1 if enters[first] else len(slots)

    def sweeps(self, table: SeriesTable, slots: IntArray) -> bool:
        """Whether `ended` must be asked after some of the next events: their slots [B]."""
        if not self._end_after:
            return False
        return bool(np.any(slots // self._every > table.watermark // self._every))

    def ended(self, table: SeriesTable, before: int) -> IntArray:
        """The rows of series that have ended, now that the watermark was moved on from `before`."""
        stays = table.watermark // self._every == before // self._every
        if not self._end_after or before == NEVER or stays:
            return np.array([], np.int64)
        rows = table.rows()
        return rows[table.newest(rows) < table.watermark - self._end_after]
