"""Observations gathered on an even grid, batch by batch.

The rules by which values of one slot combine are the worker's (`stream.series.aggregation`), here
for whole batches at once, and `first` besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol, final

import numpy as np
from numpy.typing import NDArray

from stream.grid import FLOAT32_MAX, slots_of
from stream.series.layout import LONG_STEP_S
from tidecast.errors import DataError
from training.data.waves import Floats, Ints

LARGEST_GRID: Final = 500_000_000
"""Values of all slots together (2 GB, and as much while it is filled): more is rather a wrong step
than a data set."""

Combine = Literal["last", "first", "mean", "sum"]
"""How values that fall into one slot combine; `last` and `first` by their own time."""


class Span(NamedTuple):
    """The slots of a grid: the number of the first one, how many, and their step."""

    first: int
    slots: int
    step_seconds: int

    @classmethod
    def of(cls, first_ms: int, last_ms: int, step_seconds: int) -> Span:
        """The slots from that of one time to that of another, milliseconds since 1970."""
        first = first_ms // (step_seconds * 1000)
        return cls(first, last_ms // (step_seconds * 1000) - first + 1, step_seconds)


class Cells(Protocol):
    """The cells of one channel while they are filled."""

    def add(self, places: Ints, within_ms: Ints, values: Floats) -> None:
        """Combine values [n], none of them NaN, ascending by `within_ms`, into cells [n]."""

    def finish(self) -> None:
        """Leave the combined values in the array that the cells stand for."""


@final
class Ranked:
    """Keeps the value measured last, or first; of two at once the one that came last, or first."""

    def __init__(self, held: Floats, step_seconds: int, keep: Literal["last", "first"]) -> None:
        self._held = held
        # 1 + milliseconds since the slot began, 0: never.
        self._marks = np.zeros(len(held), np.uint32 if step_seconds <= LONG_STEP_S else np.uint64)
        self._keep = keep

    def add(self, places: Ints, within_ms: Ints, values: Floats) -> None:
        """See `Cells.add`."""
        marks = (within_ms + 1).astype(self._marks.dtype)
        if self._keep == "first":
            # Of a repeated place numpy keeps the value that is assigned last.
            places, marks, values = places[::-1], marks[::-1], values[::-1]
            held = self._marks[places]
            better = (held == 0) | (marks < held)
        else:
            better = marks >= self._marks[places]
        self._held[places[better]] = values[better]
        self._marks[places[better]] = marks[better]

    def finish(self) -> None:
        """Nothing is left to do."""


@final
class Added:
    """Keeps sums and counts in double precision, whose order is then lost in the rounding."""

    def __init__(self, held: Floats, rule: Literal["mean", "sum"]) -> None:
        self._held = held
        self._totals = np.zeros(len(held))
        self._counts = np.zeros(len(held), np.int32)
        self._rule = rule

    def add(self, places: Ints, within_ms: Ints, values: Floats) -> None:
        """See `Cells.add`."""
        del within_ms
        np.add.at(self._totals, places, values.astype(np.float64))
        np.add.at(self._counts, places, 1)

    def finish(self) -> None:
        """See `Cells.finish`. What is beyond a 32-bit float becomes the largest one."""
        totals = self._totals
        if self._rule == "mean":
            totals = totals / np.maximum(self._counts, 1)
        shown = np.clip(totals, -FLOAT32_MAX, FLOAT32_MAX)
        self._held[:] = np.where(self._counts > 0, shown, np.nan)


class Grid:
    """Some channels of some series over a span."""

    def __init__(self, series: int, span: Span, rules: Sequence[Combine]) -> None:
        """rules: one a channel. Raises DataError when the grid would be too large to hold."""
        size = series * span.slots * len(rules)
        if size > LARGEST_GRID:
            raise DataError(
                f"{series} series over {span.slots:,} slots of {span.step_seconds} s with "
                f"{len(rules)} channels are {size:,} values, at most {LARGEST_GRID:,} fit; "
                "give a larger step_seconds, fewer columns or a shorter stretch, and look for "
                "times that are far from the others"
            )
        self._shape = (series, span.slots, len(rules))
        self._span = span
        self._values = np.full((series * span.slots, len(rules)), np.nan, np.float32)
        self._cells = [
            _cells(self._values[:, number], span, rule) for number, rule in enumerate(rules)
        ]
        self._added = 0

    def add(self, rows: Ints, times_ms: Ints, values: NDArray[np.floating[Any]]) -> None:
        """Add observations. rows, times_ms: [n]. values: [n, channels], NaN = missing."""
        slots = slots_of(times_ms, self._span.step_seconds)
        within = times_ms - slots * (self._span.step_seconds * 1000)
        places = rows * self._span.slots + (slots - self._span.first)
        order = np.argsort(within, kind="stable")
        for cells, column in zip(self._cells, values.T, strict=True):
            known = order[~np.isnan(column[order])]
            cells.add(places[known], within[known], column[known].astype(np.float32))
            self._added += len(known)

    def finish(self) -> tuple[Floats, int]:
        """Values [series, slots, channels], and how many met another one in their slot."""
        for cells in self._cells:
            cells.finish()
        held = int(np.count_nonzero(~np.isnan(self._values)))
        return self._values.reshape(self._shape), self._added - held


def _cells(held: Floats, span: Span, rule: Combine) -> Cells:
    if rule == "last" or rule == "first":
        return Ranked(held, span.step_seconds, rule)
    return Added(held, rule)


def commonest_step(rows: Ints, times_ms: Ints) -> tuple[int, float]:
    """The commonest distance between neighbours of one series, in seconds.

    rows: [n] of the observations' series. times_ms: [n]. → the step, and the share of the
    distances that differ from it. Raises DataError where no series has two times.
    """
    seconds = times_ms // 1000
    order = np.lexsort((seconds, rows))
    gaps = np.diff(seconds[order])[np.diff(rows[order]) == 0]
    gaps = gaps[gaps > 0]
    if not gaps.size:
        raise DataError("no series has two timestamps; give step_seconds")
    distances, counts = np.unique(gaps, return_counts=True)
    return int(distances[counts.argmax()]), 1 - float(counts.max() / counts.sum())
