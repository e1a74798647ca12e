"""All series of one partition as one array of records, a row per series.

A row is also the unit of a checkpoint: its bytes are what Redis holds of a series.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from stream.grid import FLOAT32_MAX, NEVER, AnyArray, FloatArray, IntArray
from tidecast.errors import StateError, WindowError

FIRST_CAPACITY: Final = 64
LAYOUT_VERSION: Final = 1


class Layout(msgspec.Struct, frozen=True):
    """The shape of a row. Rows of one layout cannot be read as another."""

    context: int
    channels: int
    state_size: int
    grace: int

    def dtype(self) -> np.dtype[np.void]:
        """`observed` counts the values combined in each of the newest grace + 1 slots.

        `before` is the state before the newest slot, which a second value for it goes back to.
        """
        return np.dtype(
            [
                ("newest", "<i8"),
                ("span", "<i4"),
                ("observed", "<u4", (self.grace + 1, self.channels)),
                ("window", "<f4", (self.context, self.channels)),
                ("state", "<f4", (self.state_size,)),
                ("before", "<f4", (self.state_size,)),
            ]
        )

    def fingerprint(self) -> str:
        """Names the layout in a checkpoint: 16 hex digits."""
        text = f"{LAYOUT_VERSION} {self.dtype().descr}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class SeriesTable:
    """Windows and states of the series of one partition.

    Row numbers are stable for the table's life. Methods that take `rows` want them distinct.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._records: AnyArray = self._blank(FIRST_CAPACITY)
        self._row_of: dict[str, int] = {}
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def series_ids(self) -> Sequence[str]:
        """Series ids by row number."""
        return self._ids

    def row_of(self, series_id: str) -> int | None:
        """The row of a known series."""
        return self._row_of.get(series_id)

    def rows_of(self, series_ids: Iterable[str]) -> IntArray:
        """Row numbers [B]; series not seen before get a blank row."""
        row_of = self._row_of
        rows = []
        for series_id in series_ids:
            row = row_of.get(series_id)
            if row is None:
                row = row_of[series_id] = len(self._ids)
                self._ids.append(series_id)
            rows.append(row)
        self._reserve(len(self._ids))
        return np.array(rows, np.int64)

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

    def clear(self, rows: IntArray) -> None:
        """Forget what is known of the given series."""
        self._records[rows] = self._blank(1)[0]

    def shift_in(self, rows: IntArray, slots: IntArray, values: FloatArray) -> None:
        """Append one slot to each given series.

        rows: [B]. slots: [B], each the row's next slot, or any for a blank row.
        values: [B, channels] in the channels' own units, NaN where missing.
        The state after the old newest slot becomes the state before the new one.
        Raises WindowError when a slot is not the next one.
        """
        records = self._records[rows]
        blank = records["newest"] == NEVER
        if not np.all(blank | (slots == records["newest"] + 1)):
            raise WindowError("shift_in takes the slot after the newest: step through gaps first")
        records["newest"] = slots
        records["span"] = np.minimum(records["span"] + 1, self.layout.context)
        records["window"][:, :-1] = records["window"][:, 1:]
        records["window"][:, -1] = values
        records["observed"][:, :-1] = records["observed"][:, 1:]
        records["observed"][:, -1] = ~np.isnan(values)
        records["before"] = records["state"]
        self._records[rows] = records

    def combine(self, rows: IntArray, lags: IntArray, values: FloatArray, rule: str) -> None:
        """Merge a further value into a slot that each series already has.

        lags: [B] how many slots before the newest, at most the grace. A missing value changes
        nothing. rule: `last`, `mean` or `sum`. States are left as they were. A sum beyond a
        32-bit float stays at the largest one.
        """
        if len(rows) == 0:
            return
        if int(lags.max()) > self.layout.grace:
            raise WindowError(f"a slot {int(lags.max())} back is older than the grace")
        at = self.layout.context - 1 - lags
        old = self._records["window"][rows, at].astype(np.float64)
        counts = self._records["observed"][rows, self.layout.grace - lags]
        known = ~np.isnan(values)
        total = counts + known
        if rule == "sum":
            merged = np.where(counts > 0, old + values, values)
        elif rule == "mean":
            step = (values - np.where(counts > 0, old, 0)) / np.maximum(total, 1)
            merged = np.where(counts > 0, old, 0) + step
        else:
            merged = values
        merged = np.clip(merged, -FLOAT32_MAX, FLOAT32_MAX)
        self._records["window"][rows, at] = np.where(known, merged, old)
        self._records["observed"][rows, self.layout.grace - lags] = total
        self._records["span"][rows] = np.maximum(self._records["span"][rows], lags + 1)

    def dump(self, rows: IntArray) -> dict[str, bytes]:
        """The given rows as bytes, by series id, for a checkpoint."""
        size = self._records.dtype.itemsize
        data = memoryview(self._records[rows].tobytes())
        ids = self._ids
        return {
            ids[row]: bytes(data[place * size : (place + 1) * size])
            for place, row in enumerate(rows.tolist())
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
        self._records[rows] = np.frombuffer(b"".join(dumped.values()), self._records.dtype)

    def _reserve(self, rows: int) -> None:
        if rows > len(self._records):
            # Half again: a copy now and then, and at most a third of the table unused.
            extra = max(rows, len(self._records) * 3 // 2) - len(self._records)
            self._records = np.concatenate([self._records, self._blank(extra)])

    def _blank(self, rows: int) -> AnyArray:
        records = np.zeros(rows, self.layout.dtype())
        records["newest"] = NEVER
        records["window"] = np.nan
        return records
