"""Which series is in which row of a table: rows are stable, and used again once given up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from stream.grid import IntArray

NOBODY = ""
"""The id of a row that no series holds; a series' own id is never empty."""


class SeriesIds:
    """Ids by row, and rows by id."""

    def __init__(self) -> None:
        self._row_of: dict[str, int] = {}
        self._ids: list[str] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many series there are."""
        return len(self._row_of)

    @property
    def by_row(self) -> Sequence[str]:
        """Ids by row number, NOBODY where a row is free."""
        return self._ids

    def row_of(self, series_id: str) -> int | None:
        """The row of a known series."""
        return self._row_of.get(series_id)

    def rows(self) -> IntArray:
        """The rows of all series, ascending."""
        held = np.ones(len(self._ids), np.bool_)
        held[self._free] = False
        return np.flatnonzero(held)

    def find(self, series_ids: Iterable[str]) -> IntArray:
        """Row numbers [B], -1 for series that are not known."""
        row_of = self._row_of.get
        return np.array([row_of(series_id, -1) for series_id in series_ids], np.int64)

    def rows_of(self, series_ids: Iterable[str]) -> IntArray:
        """Row numbers [B]; series not known get a free row, or one after the last."""
        row_of = self._row_of
        rows = []
        for series_id in series_ids:
            row = row_of.get(series_id)
            if row is None:
                row = row_of[series_id] = self._take_row(series_id)
            rows.append(row)
        return np.array(rows, np.int64)

    def remove(self, rows: IntArray) -> list[str]:
        """Free the given rows; the ids that held them."""
        removed = [self._ids[row] for row in rows.tolist()]
        for row, series_id in zip(rows.tolist(), removed, strict=True):
            del self._row_of[series_id]
            self._ids[row] = NOBODY
            self._free.append(row)
        return removed

    def _take_row(self, series_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self._ids[row] = series_id
            return row
        self._ids.append(series_id)
        return len(self._ids) - 1
