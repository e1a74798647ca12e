"""The quotas of a partition: how many series it may have, and how many may begin in a second.

A refusal is a function of the table and the records alone, so a replay from a checkpoint refuses
the same ones: the table knows how many series it has, and of each the second it began in. A series
that has ended no longer counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.grid import IntArray
from stream.series.layout import wrapped
from stream.series.table import SeriesTable
from tidecast.settings import StreamSettings


class Admission:
    """Which events may begin a series."""

    def __init__(self, stream: StreamSettings) -> None:
        self._most = stream.max_series
        self._per_s = stream.new_series_per_s
        self._full = f"the partition has stream.max_series = {self._most} series"
        self._busy = f"more than stream.new_series_per_s = {self._per_s} in this second"

    def judge(
        self, table: SeriesTable, series_ids: Sequence[str], seconds: IntArray
    ) -> list[str | None]:
        """Why each event must not begin its series; None where it may.

        series_ids: B of events in order of their offsets, none of them in the table. seconds: [B]
        of the records' Kafka timestamps.
        """
        room = self._most - len(table)
        if room <= 0:
            # A million new ids from one publisher come this way.
            return [self._full] * len(series_ids)
        if not series_ids or (len(series_ids) <= room and not self._per_s):
            return [None] * len(series_ids)
        born = self._born(table, seconds)
        begun: set[str] = set()
        verdicts: list[str | None] = []
        for series_id, second in zip(series_ids, wrapped(seconds).tolist(), strict=True):
            verdict = None
            if series_id not in begun:
                if len(begun) >= room:
                    verdict = self._full
                elif self._per_s and born[second] >= self._per_s:
                    verdict = self._busy
                else:
                    begun.add(series_id)
                    born[second] += 1
            verdicts.append(verdict)
        return verdicts

    def _born(self, table: SeriesTable, seconds: IntArray) -> dict[int, int]:
        """How many series of the table began in each of the given seconds."""
        counts = dict.fromkeys(wrapped(seconds).tolist(), 0)
        if self._per_s:
            born = table.born(table.rows())
            found, numbers = np.unique(born[np.isin(born, list(counts))], return_counts=True)
            counts.update(zip(found.tolist(), numbers.tolist(), strict=True))
        return counts
