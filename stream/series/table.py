"""All series of one partition as one array of records, a row per series.

A row is also the unit of a checkpoint: its bytes are what Redis holds of a series.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from stream.grid import NEVER, AnyArray, BoolArray, FloatArray, IntArray
from stream.series.aggregation import Aggregation, Cells
from stream.series.ids import NOBODY, SeriesIds
from tidecast.errors import StateError, WindowError

FIRST_CAPACITY: Final = 64
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


class SeriesTable:
    """Windows and states of the series of one partition.

    A series keeps its row number until it is removed. Methods that take `rows` want them distinct.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.watermark = NEVER
        """The newest slot of all: the series that holds it cannot be the one to end."""
        self._aggregation = Aggregation(layout.averaged, layout.summed)
        self._dtype = layout.dtype()
        self._records: AnyArray = np.empty(FIRST_CAPACITY, self._dtype)
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
        self._records[rows] = records

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
        records = self._records[rows]
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
        self._records[rows] = records
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

    def copy_of(self, rows: IntArray) -> SeriesTable:
        """A table of its own that holds the given series, in rows from 0 on."""
        copy = SeriesTable(self.layout)
        copy.rows_of(self._ids.by_row[row] for row in rows.tolist())
        copy._put(np.arange(len(rows)), self._records[rows])
        return copy

    def dump(self, rows: IntArray) -> dict[str, bytes]:
        """The given rows as bytes, by series id, for a checkpoint; without those of no series."""
        size = self._records.dtype.itemsize
        data = memoryview(self._records[rows].tobytes())
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

    def _empty_cells(self, count: int) -> Cells:
        shape = (count, self.layout.channels)
        return Cells(
            np.full(shape, np.nan, np.float32),
            np.zeros(shape, np.int64),
            np.zeros((count, len(self._aggregation.added))),
        )

    def _put(self, rows: IntArray, records: AnyArray) -> None:
        self._records[rows] = records
        self.watermark = max(self.watermark, int(records["newest"].max(initial=NEVER)))

    def _reserve(self, rows: int) -> None:
        if rows > len(self._records):
            grown = np.empty(max(rows, len(self._records) * 3 // 2), self._dtype)
            grown[: self._begun] = self._records[: self._begun]
            self._records = grown
        if rows > self._begun:
            self._records[self._begun : rows] = self._blank(rows - self._begun)
            self._begun = rows

    def _blank(self, rows: int) -> AnyArray:
        records = np.zeros(rows, self._dtype)
        records["newest"] = NEVER
        records["window"] = np.nan
        return records
