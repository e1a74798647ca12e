"""Windows and states of series as one array of records, a row per series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from stream.grid import NEVER, AnyArray, BoolArray, FloatArray, IntArray
from stream.series.aggregation import Aggregation, Cells
from stream.series.layout import Layout
from tidecast.errors import WindowError


class SeriesRows:
    """Series by their row numbers. Methods that take `rows` want them distinct.

    Whole records are moved by `take` and `put`: an index would copy them field by field.
    """

    def __init__(self, layout: Layout, records: AnyArray) -> None:
        """records: structured [rows] of the layout's dtype, taken as they are."""
        self.layout = layout
        self.watermark = NEVER
        """The newest slot of all: the series that holds it cannot be the one to end."""
        self._aggregation = Aggregation(layout.averaged, layout.summed)
        self._records = records

    @classmethod
    def gathered(cls, parts: Iterable[tuple[SeriesRows, IntArray]]) -> Self:
        """Copies of rows of several tables of one layout, one after the other."""
        layouts, records = zip(
            *((table.layout, table._records.take(rows)) for table, rows in parts), strict=True
        )
        return cls(layouts[0], np.concatenate(records))

    def put(self, rows: IntArray, others: SeriesRows, first: int) -> None:
        """Overwrite the given rows by as many of the others, from the `first` on."""
        self._put(rows, others._records[first : first + len(rows)])

    def newest(self, rows: IntArray) -> IntArray:
        """Newest slots [B]; NEVER for a blank row."""
        return np.asarray(self._records["newest"][rows])

    def spans(self, rows: IntArray) -> IntArray:
        """Slots since each series began, at most the context: [B]."""
        return np.asarray(self._records["span"][rows], np.int64)

    def windows(self, rows: IntArray) -> FloatArray:
        """Copies of the windows [B, context, channels], oldest slot first, NaN = missing."""
        return np.asarray(self._records["window"][rows])

    def states(self, rows: IntArray) -> FloatArray:
        """Copies of the states after the newest slot [B, state_size]."""
        return np.asarray(self._records["state"][rows])

    def states_before(self, rows: IntArray) -> FloatArray:
        """Copies of the states before the newest slot [B, state_size]."""
        return np.asarray(self._records["before"][rows])

    def set_states(self, rows: IntArray, states: FloatArray) -> None:
        """Store the states after the newest slot."""
        self._records["state"][rows] = states

    def set_states_before(self, rows: IntArray, states: FloatArray) -> None:
        """Store the states before the newest slot."""
        self._records["before"][rows] = states

    def born(self, rows: IntArray) -> IntArray:
        """When each series began [B]: record time in seconds, `wrapped`."""
        return np.asarray(self._records["born"][rows], np.int64)

    def remembers(self, rows: IntArray, events: AnyArray) -> BoolArray:
        """Whether each series has had the event: hashes of ids [B], 0 for one without an id."""
        same: BoolArray = self._records["events"][rows] == events[:, None]
        had: BoolArray = np.any(same & (events[:, None] != 0), axis=1)
        return had

    def remember(self, rows: IntArray, events: AnyArray) -> None:
        """Put hashes of event ids [B] in place of the oldest ones; 0 changes nothing."""
        rows, events = rows[events != 0], events[events != 0]
        held = self._records["events"][rows]
        self._records["events"][rows] = np.concatenate([held[:, 1:], events[:, None]], axis=1)

    def clear(self, rows: IntArray) -> None:
        """Let the given series begin anew: the next slot may be any. Event ids are kept."""
        records = self._blank(len(rows))
        for kept in ("born", "events"):
            records[kept] = self._records[kept][rows]
        self._records.put(rows, records)

    def shift_in(
        self, rows: IntArray, slots: IntArray, values: FloatArray, within_ms: IntArray
    ) -> None:
        """Append one slot to each given series.

        rows: [B]. slots: [B], each the row's next slot, or any for a blank row.
        values: [B, channels] in the channels' own units, NaN where missing.
        within_ms: [B] when they were measured, since the slot began.
        The state after the old newest slot becomes the state before the new one.
        Raises WindowError when a slot is not the next one.
        """
        if len(rows) == 0:
            return
        records = self._records.take(rows)
        blank = records["newest"] == NEVER
        if not np.all(blank | (slots == records["newest"] + 1)):
            raise WindowError("shift_in takes the slot after the newest: step through gaps first")
        records["newest"] = slots
        records["span"] = np.minimum(records["span"] + 1, self.layout.context)
        for field in ("window", "marks", "totals"):
            records[field][:, :-1] = records[field][:, 1:]
        cells = self._aggregation.merge(self._empty_cells(len(rows)), values, within_ms)
        records["window"][:, -1] = cells.values
        records["marks"][:, -1] = cells.marks
        records["totals"][:, -1] = cells.totals
        records["before"] = records["state"]
        self._records.put(rows, records)
        self.watermark = max(self.watermark, int(slots.max()))

    def combine(
        self, rows: IntArray, lags: IntArray, values: FloatArray, within_ms: IntArray
    ) -> None:
        """Merge a further observation into a slot that each series already has.

        lags: [B] how many slots before the newest, at most the grace. values, within_ms: as
        `Aggregation.merge` takes them. States are left as they were.
        """
        if len(rows) == 0:
            return
        if int(lags.max()) > self.layout.grace:
            raise WindowError(f"a slot {int(lags.max())} back is older than the grace")
        records = self._records
        at, marked = self.layout.context - 1 - lags, self.layout.grace - lags
        cells = Cells(
            records["window"][rows, at],
            records["marks"][rows, marked].astype(np.int64),
            records["totals"][rows, marked],
        )
        cells = self._aggregation.merge(cells, values, within_ms)
        records["window"][rows, at] = cells.values
        records["marks"][rows, marked] = cells.marks
        records["totals"][rows, marked] = cells.totals
        records["span"][rows] = np.maximum(records["span"][rows], lags + 1)

    def _empty_cells(self, count: int) -> Cells:
        shape = (count, self.layout.channels)
        return Cells(
            np.full(shape, np.nan, np.float32),
            np.zeros(shape, np.int64),
            np.zeros((count, len(self._aggregation.added))),
        )

    def _put(self, rows: IntArray, records: AnyArray) -> None:
        self._records.put(rows, records)
        self.watermark = max(self.watermark, int(records["newest"].max(initial=NEVER)))

    def _blank(self, rows: int) -> AnyArray:
        records = np.zeros(rows, self._records.dtype)
        records["newest"] = NEVER
        records["window"] = np.nan
        return records
