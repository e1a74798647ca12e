"""The series of one partition: whose each row is, and room for more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from stream.grid import IntArray
from stream.series.ids import NOBODY, SeriesIds
from stream.series.layout import Layout, wrapped
from stream.series.rows import SeriesRows
from tidecast.errors import StateError

FIRST_CAPACITY: Final = 64


class SeriesTable(SeriesRows):
    """Windows and states of the series of one partition.

    A series keeps its row number until it is removed.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, np.empty(FIRST_CAPACITY, layout.dtype()))
        self._begun = 0
        """Rows that hold something, or did; the memory of those after them was never touched."""
        self._ids = SeriesIds()

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def series_ids(self) -> Sequence[str]:
        """Series ids by row number, empty where no series is."""
        return self._ids.by_row

    def row_of(self, series_id: str) -> int | None:
        """The row of a known series."""
        return self._ids.row_of(series_id)

    def missing(self, series_ids: Iterable[str]) -> list[str]:
        """Those of the given series that are not here."""
        return [series_id for series_id in series_ids if self.row_of(series_id) is None]

    def rows(self) -> IntArray:
        """The rows of all series, ascending; there are gaps once a series was removed."""
        return self._ids.rows()

    def find(self, series_ids: Iterable[str]) -> IntArray:
        """Row numbers [B], -1 for series not seen before."""
        return self._ids.find(series_ids)

    def rows_of(self, series_ids: Iterable[str]) -> IntArray:
        """Row numbers [B]; series not seen before get a blank row."""
        rows = self._ids.rows_of(series_ids)
        self._reserve(len(self._ids.by_row))
        return rows

    def begin(self, series_ids: Sequence[str], seconds: IntArray) -> IntArray:
        """Blank rows [B] of series that the table lacks.

        seconds: [B] of the record times; of a series that is named twice the first one counts.
        """
        rows = self.rows_of(series_ids)
        distinct, first = np.unique(rows, return_index=True)
        self._records["born"][distinct] = wrapped(seconds[first])
        return rows

    def remove(self, rows: IntArray) -> list[str]:
        """Forget the given series; returns their ids. Their rows are blank, and will be reused."""
        self._records[rows] = self._blank(1)[0]
        return self._ids.remove(rows)

    def dump(self, rows: IntArray) -> dict[str, bytes]:
        """The given rows as bytes, by series id, for a checkpoint; without those of no series."""
        size = self._records.dtype.itemsize
        data = memoryview(self._records.take(rows).tobytes())
        ids = self._ids.by_row
        return {
            ids[row]: bytes(data[place * size : (place + 1) * size])
            for place, row in enumerate(rows.tolist())
            if ids[row] != NOBODY
        }

    def load(self, dumped: Mapping[str, bytes]) -> None:
        """Put rows back that `dump` made under the same layout.

        Raises StateError when a row is of another size.
        """
        size = self._records.dtype.itemsize
        for series_id, data in dumped.items():
            if len(data) != size:
                raise StateError(f"stored row of {series_id!r} has {len(data)} bytes, not {size}")
        rows = self.rows_of(dumped)
        self._put(rows, np.frombuffer(b"".join(dumped.values()), self._records.dtype))

    def _reserve(self, rows: int) -> None:
        if rows > len(self._records):
            grown = np.empty(max(rows, len(self._records) * 3 // 2), self._records.dtype)
            grown[: self._begun] = self._records[: self._begun]
            self._records = grown
        if rows > self._begun:
            self._records[self._begun : rows] = self._blank(rows - self._begun)
            self._begun = rows
