"""Series that fell quiet: forecasts that a timer asks for, on copies of their rows.

Nothing here changes a table: what a timer does must not decide what a replay finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from stream.encoder import Encoder, Messages
from stream.engine import Engine
from stream.grid import NEVER, IntArray
from stream.series.table import SeriesTable

ROWS_AT_ONCE: Final = 4096
"""Rows copied and stepped together: a few megabytes."""


class QuietSeries:
    """The stale forecasts of one partition, at most one for each series and slot."""

    def __init__(self, engine: Engine, encoder: Encoder) -> None:
        self._engine = engine
        self._encoder = encoder
        self._done = NEVER

    def forecasts(self, table: SeriesTable, now_ms: int) -> Iterator[Messages]:
        """The messages for all series that are quiet now, once a slot.

        now_ms: of the clock that the events' own times are compared with. Take all messages
        before the table changes again.
        """
        slot = now_ms // (self._engine.stream.step_seconds * 1000)
        if slot <= self._done:
            return
        self._done = slot
        rows = self._due(table, slot)
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[first : first + ROWS_AT_ONCE]
            forecasts = self._engine.forecaster.forecast_quiet(table, part, slot)
            ids = [table.series_ids[row] for row in part.tolist()]
            yield self._encoder.encode_stale(ids, slot, now_ms, forecasts)

    def _due(self, table: SeriesTable, slot: int) -> IntArray:
        """Rows of series quiet for long enough, not for too long, and with something to go by."""
        stream = self._engine.stream
        rows = table.rows()
        if not stream.stale_after_slots or len(rows) == 0:
            return rows[:0]
        newest = table.newest(rows)
        # The slot of now has only begun: what is missing are the whole slots before it.
        missing = slot - 1 - np.where(newest == NEVER, slot, newest)
        known = self._engine.layout.context - 1
        most = min(stream.stale_after_slots + stream.stale_for_slots, known)
        return rows[(missing >= stream.stale_after_slots) & (missing < most)]
