"""Batches of several tables side by side, so that the model runs once for all of them.

What leads to the model and back costs a batch of two events as much as one of twenty. A worker that
holds several partitions gets a few events of each at a time: their rows are copied into one array,
brought forward there, and copied back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from stream.decoder import Columns
from stream.grid import IntArray
from stream.records import Record
from stream.series.rows import SeriesRows
from stream.series.table import SeriesTable

MOST_ROWS: Final = 2**40
"""More than any table has."""


class TableBatch(NamedTuple):
    """Records of the partition whose series the table holds."""

    table: SeriesTable
    records: Sequence[Record]


class Side(NamedTuple):
    """One batch among several.

    records: its places among all records. events: among those that could be decoded. rows: [B] of
    its events, in its table, -1 for a series that it does not know.
    """

    table: SeriesTable
    records: range
    events: slice
    rows: IntArray


def sides_of(batches: Sequence[TableBatch], columns: Columns) -> list[Side]:
    """Where each batch is. columns: of all their records, one batch after the other."""
    edges = np.cumsum([0, *(len(batch.records) for batch in batches)])
    cuts = np.searchsorted(columns.positions, edges).tolist()
    return [
        Side(
            batch.table,
            range(first, after),
            slice(begin, end),
            batch.table.find(columns.series_ids[begin:end]),
        )
        for batch, (first, after), (begin, end) in zip(
            batches, pairwise(edges.tolist()), pairwise(cuts), strict=True
        )
    ]


class SideBySide:
    """Copies of the rows that the events of several batches are about."""

    def __init__(self, sides: Sequence[Side]) -> None:
        """Every series is known to its table."""
        each = [number * MOST_ROWS + side.rows for number, side in enumerate(sides)]
        distinct, self.of_events = np.unique(np.concatenate(each), return_inverse=True)
        """The row of each event among the copies [B]."""
        cuts = np.searchsorted(distinct, np.arange(len(sides) + 1) * MOST_ROWS).tolist()
        self._origins = [
            (side.table, distinct[begin:end] % MOST_ROWS)
            for side, (begin, end) in zip(sides, pairwise(cuts), strict=True)
        ]
        self.rows = SeriesRows.gathered(self._origins)

    def put_back(self) -> None:
        """Let the tables have what has become of their rows."""
        first = 0
        for table, rows in self._origins:
            table.put(rows, self.rows, first)
            first += len(rows)
