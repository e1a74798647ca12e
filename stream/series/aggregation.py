"""How several values of one slot combine, channel by channel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream.grid import FLOAT32_MAX, AnyArray, FloatArray, IntArray


class Cells(NamedTuple):
    """One slot of each of several series.

    values: [B, channels], what the slot holds, NaN where nothing. marks: [B, channels]; where the
    last value counts, when it was measured (1 + milliseconds since the slot began, 0: never);
    elsewhere the number of values. totals: [B, added] their sums in float64, for the channels
    that need one: the order of arrival is then lost in the rounding.
    """

    values: FloatArray
    marks: AnyArray
    totals: AnyArray


class Aggregation:
    """The rules of a stream: `last` by event time, except for the channels that say otherwise."""

    def __init__(self, averaged: Sequence[int], summed: Sequence[int]) -> None:
        """averaged, summed: the channels that combine to their mean, and to their sum."""
        self.added = [*averaged, *summed]
        self._averaged = len(averaged)

    def merge(self, cells: Cells, values: FloatArray, within_ms: IntArray) -> Cells:
        """The slots with one more observation each; a missing value changes nothing.

        values: [B, channels], NaN where missing. within_ms: [B] when they were measured, since
        the slot began; of two measured at once the one that arrives later counts as the last. A
        mean or sum beyond a 32-bit float shows as the largest one.
        """
        known = ~np.isnan(values)
        since = within_ms[:, None] + 1
        newer = known & (since >= cells.marks)
        merged = Cells(
            np.where(newer, values, cells.values),
            np.where(newer, since, cells.marks),
            cells.totals,
        )
        return self._add(merged, cells.marks, values) if self.added else merged

    def _add(self, merged: Cells, before: AnyArray, values: FloatArray) -> Cells:
        given = values[:, self.added].astype(np.float64)
        counts = before[:, self.added] + ~np.isnan(given)
        totals = merged.totals + np.nan_to_num(given)
        shown = totals.copy()
        shown[:, : self._averaged] /= np.maximum(counts[:, : self._averaged], 1)
        shown = np.where(counts > 0, np.clip(shown, -FLOAT32_MAX, FLOAT32_MAX), np.nan)
        merged.values[:, self.added] = shown
        merged.marks[:, self.added] = counts
        return merged._replace(totals=totals)
