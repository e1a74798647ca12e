"""One partition in the hands of this worker: its table, its cursor, its checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import numpy as np
import structlog

from stream.decoder import Refusal
from stream.encoder import Encoder
from stream.engine import Answers
from stream.event_log import EventLog
from stream.grid import IntArray
from stream.output import Delivery, Output
from stream.quiet import QuietSeries
from stream.records import Record
from stream.series.table import SeriesTable
from stream.shared_engine import SharedEngine
from stream.state.checkpoint import Checkpoint, Head
from stream.state.recovery import write_rows
from tidecast.errors import Reason, StoreLostError, TidecastError
from tidecast.messages import Rejection

UNCONFIRMED_BATCHES: Final = 8
"""Batches sent and not yet stored by Kafka, before the next one waits."""

STAGES: Final = dict.fromkeys((Reason.LATE, Reason.DUPLICATE, Reason.QUOTA), "grid")
"""Where a record fell out, by reason; all others fall out while it is decoded."""


log = structlog.get_logger("tidecast.partition")


class Saved(NamedTuple):
    """A table of which the store holds every row, under this head."""

    table: SeriesTable
    head: Head


class Partition:
    """Applies batches in the order of their offsets, each offset once, until it is released."""

    def __init__(
        self,
        shared: SharedEngine,
        encoder: Encoder,
        output: Output,
        log: EventLog,
        checkpoint: Checkpoint,
        table: SeriesTable,
        cursor: int,
    ) -> None:
        self.cursor = cursor
        self.saved = cursor
        self._shared = shared
        self._encoder = encoder
        self._output = output
        self._log = log
        self._checkpoint = checkpoint
        self._table = table
        self._dirty: list[IntArray] = []
        self._ended: set[str] = set()
        self._quiet = QuietSeries(shared.engine, encoder)
        self._deliveries: list[Delivery] = []
        self._stale_deliveries: list[Delivery] = []
        self._released = False
        self._store_lost = False
        # `_working` guards table and cursor, `_writing` the way out, `_saving` the store. A batch
        # takes the second before it gives back the first: the next one is before the model while
        # its answers are written, in order. Forecasts go on while a checkpoint waits for Redis.
        self._working = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._saving = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._table)

    async def handle(self, records: Sequence[Record]) -> None:
        """Apply a batch and hand its messages to the output.

        Records that were applied before are skipped. Records missing before the batch, as Faust
        can leave them out after a rebalance, are read from the log first.
        """
        async with self._working:
            fresh = [record for record in records if record.offset >= self.cursor]
            if self._released or not fresh:
                return
            place, found = self._checkpoint.partition, fresh[0].offset
            async for missed in self._log.read(place, self.cursor, found):
                answers = await self._apply(missed)
                async with self._writing:
                    await self._write(missed, answers)
            answers = await self._apply(fresh)
            await self._writing.acquire()
        try:
            await self._write(fresh, answers)
        finally:
            self._writing.release()

    async def forecast_quiet(self, now_ms: int) -> None:
        """Forecast the series that are quiet by `now_ms`, if the partition has caught up.

        Raises KafkaError when the forecasts of the last time were not stored. No checkpoint waits
        for these: they answer no event, and change no row.
        """
        place = self._checkpoint.partition
        end = (await self._log.bounds(place)).end
        async with self._at_rest():
            if self._released or end > self.cursor:
                return
            before, self._stale_deliveries = self._stale_deliveries, []
            await self._output.delivered(before)
            for messages in self._quiet.forecasts(self._table, now_ms):
                sent = await self._output.forecasts(place.partition, messages)
                self._stale_deliveries += sent

    async def save(self) -> bool:
        """Checkpoint what has changed, once its forecasts are stored; say whether there was any.

        A store that went back behind what it had confirmed gets the whole table anew.
        Raises RedisError (what was to be saved is kept for the next time), FencedError (the
        partition is then of no more use), KafkaError.
        """
        # A caller that is cancelled leaves the checkpoint under way to finish: the next one waits
        # for it, and knows what it wrote.
        return await asyncio.shield(self._save())

    def as_saved(self) -> Saved | None:
        """The table with the head that the store holds it under.

        None with changes unsaved, or while a batch may still change it: until `release`.
        """
        if self.cursor != self.saved or not self._released:
            return None
        return Saved(self._table, self._checkpoint.head)

    async def _save(self) -> bool:
        async with self._saving:
            if self.cursor == self.saved:
                return False
            while True:
                try:
                    await self._save_changes()
                except StoreLostError as error:
                    log.warning("writing all rows anew", action="store_lost", error=str(error))
                    self._store_lost = True
                else:
                    return True

    async def _save_changes(self) -> None:
        model = self._shared.engine.manifest.graph_sha256
        if self._store_lost:
            await self._checkpoint.renew()
            await write_rows(self._checkpoint, self._table, None)
            self._store_lost = False
        async with self._at_rest():
            cursor, deliveries, self._deliveries = self.cursor, self._deliveries, []
            rows, ended = self._changes()
            dumped = self._table.dump(rows)
        try:
            await self._output.delivered(deliveries)
            await self._checkpoint.save(dumped, cursor, model, ended)
        except TidecastError:
            self._dirty.append(rows)
            self._ended.update(ended)
            self._deliveries = deliveries + self._deliveries
            raise
        self.saved = cursor

    def _changes(self) -> tuple[IntArray, list[str]]:
        """Rows changed, and series that are no more, since this was asked before."""
        rows, self._dirty = np.unique(np.concatenate(self._dirty)), []
        # Some have come back since, and are among the rows.
        ended, self._ended = self._table.missing(self._ended), set()
        return rows, ended

    async def release(self) -> None:
        """Finish the batch in hand and take no more."""
        async with self._at_rest():
            self._released = True

    @asynccontextmanager
    async def _at_rest(self) -> AsyncIterator[None]:
        """Between batches: what is in the table has been sent."""
        async with self._working, self._writing:
            yield

    async def _apply(self, records: Sequence[Record]) -> Answers:
        # The caller holds `_working`, and nobody cancels it: the table is the engine's alone.
        answers = await self._shared.apply(self._table, records)
        self._dirty.append(answers.touched)
        self._ended.update(answers.ended)
        self.cursor = records[-1].offset + 1
        return answers

    async def _write(self, records: Sequence[Record], answers: Answers) -> None:
        # The caller holds `_writing`.
        messages = self._encoder.encode(records, answers)
        partition = self._checkpoint.partition.partition
        self._deliveries += await self._output.forecasts(partition, messages)
        if answers.refusals:
            refused = [self._rejection(records, refusal) for refusal in answers.refusals]
            self._deliveries += await self._output.rejections(partition, refused)
        if len(self._deliveries) > UNCONFIRMED_BATCHES:
            # Kept in the list until stored: a checkpoint must not overtake them.
            await self._output.delivered(self._deliveries[:-1])
            del self._deliveries[:-1]

    def _rejection(self, records: Sequence[Record], refusal: Refusal) -> Rejection:
        record, place = records[refusal.position], self._checkpoint.partition
        return Rejection(
            key=record.key,
            value=record.value,
            topic=place.topic,
            partition=place.partition,
            offset=record.offset,
            stage=STAGES.get(refusal.reason, "decode"),
            reason=refusal.reason,
            detail=refusal.detail,
        )
