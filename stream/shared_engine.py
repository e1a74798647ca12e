"""The engine as the partitions of a worker share it: small batches together, large ones aside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Final, NamedTuple

from stream.engine import Answers, Engine
from stream.records import Record
from stream.series.table import SeriesTable
from stream.side_by_side import TableBatch

ASIDE: Final = 256
"""Records from which on a batch is worth a thread of its own, which costs a tenth of a millisecond
and lets the event loop go on while the model runs. No more are applied together either."""

ASIDE_THREADS: Final = ThreadPoolExecutor(2, "engine")
"""For all partitions of many series. While one is before the model, which holds no lock of
Python's, the other decodes and places; a third would only take lock and cache from both."""

NARROW: Final = 16
"""Series below which a batch is many calls of the model for a few rows each."""

NARROW_THREAD: Final = ThreadPoolExecutor(1, "engine-narrow")
"""For tables with fewer: two threads that take Python's lock in turn, after each of those calls,
were slower than one and took twice the processor time."""


class _Waiting(NamedTuple):
    batch: TableBatch
    answers: asyncio.Future[Answers]


class SharedEngine:
    """Applies batches of many partitions, each of a table that nobody else touches meanwhile."""

    def __init__(self, engine: Engine, most: int = ASIDE) -> None:
        """most: records that may be applied together, of small batches."""
        self.engine = engine
        self._most = min(most, ASIDE)
        self._waiting: list[_Waiting] = []

    async def apply(self, table: SeriesTable, records: Sequence[Record]) -> Answers:
        """See Engine.apply, with what the stream says is to be answered. Must not be cancelled.

        What other partitions ask for before the event loop comes round is done with it.
        """
        loop = asyncio.get_running_loop()
        if len(records) >= ASIDE:
            threads = ASIDE_THREADS if len(table) >= NARROW else NARROW_THREAD
            apply, emit = self.engine.apply, self.engine.stream.emit
            return await loop.run_in_executor(threads, apply, table, records, emit)
        if not self._waiting:
            loop.call_soon(self._apply_waiting)
        answers: asyncio.Future[Answers] = loop.create_future()
        self._waiting.append(_Waiting(TableBatch(table, records), answers))
        return await answers

    def _apply_waiting(self) -> None:
        """Apply the batches that wait, as many as fit, and come back for the others."""
        sizes = accumulate(len(waiting.batch.records) for waiting in self._waiting)
        fit = max(1, sum(size <= self._most for size in sizes))
        now, self._waiting = self._waiting[:fit], self._waiting[fit:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._apply_waiting)
        try:
            found = self.engine.apply_together(
                [waiting.batch for waiting in now], self.engine.stream.emit
            )
        except Exception as error:
            for waiting in now:
                waiting.answers.set_exception(error)
            return
        for waiting, answers in zip(now, found, strict=True):
            waiting.answers.set_result(answers)
