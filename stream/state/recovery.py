"""From a claimed checkpoint to a table that is true at a known offset."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from stream.engine import Engine
from stream.event_log import Bounds, EventLog
from stream.series.table import SeriesTable
from stream.state.checkpoint import Checkpoint, Terms
from stream.watch.health import Rebuild
from tidecast.errors import LogMismatchError

SAVE_ROWS = 2000
"""Rows per write while a whole table goes to the store: some two megabytes."""

NO_MODEL: Final = ""
"""The model of states that are not all of one."""


def terms_of(engine: Engine, partitions: int) -> Terms:
    """What this engine's rows of a topic with so many partitions are written under."""
    return Terms(
        engine.layout.fingerprint(),
        engine.manifest.graph_sha256,
        partitions,
        engine.stream.epoch,
    )


class Plan(NamedTuple):
    """Apply [replay_from, go_on_at) silently, then answer from `go_on_at` on."""

    replay_from: int
    go_on_at: int


def plan(cursor: int | None, bounds: Bounds, rebuild_records: int) -> Plan:
    """What a cursor (None: no usable rows) and a log make necessary.

    Raises LogMismatchError when the log does not hold what the cursor continues from.
    """
    known = [offset for offset in (cursor, bounds.committed) if offset is not None]
    reached = max(known, default=bounds.start)
    if reached > bounds.end:
        raise LogMismatchError(
            f"the log ends at {bounds.end}, and {reached} was reached before: the topic was "
            "created anew or truncated; raise stream.epoch, then `tidecast state rebuild`"
        )
    if cursor is None:
        go_on_at = bounds.start if bounds.committed is None else bounds.committed
    else:
        go_on_at = cursor
    if go_on_at < bounds.start <= reached:
        raise LogMismatchError(
            f"the log begins at {bounds.start}, the rows end at {go_on_at}: retention has passed "
            "what they lack; `tidecast state rebuild` makes them anew from what is there, and "
            f"answers go on at {reached}"
        )
    if go_on_at < bounds.start:
        raise LogMismatchError(
            f"the log begins at {bounds.start}, events from {go_on_at} on were never read: "
            "retention has passed them; `tidecast state rebuild --accept-loss` goes on without "
            "them, a longer retention avoids it"
        )
    if cursor is None:
        return Plan(max(bounds.start, go_on_at - rebuild_records), go_on_at)
    # A commit follows its checkpoint, so a cursor behind the commit means lost writes: the
    # forecasts up to the commit are out, only the rows must catch up.
    return Plan(cursor, max(cursor, bounds.committed or 0))


def _told_nobody(_rebuild: Rebuild) -> None:
    """Where nobody asks how far a recovery has come."""


async def recover(
    engine: Engine,
    checkpoint: Checkpoint,
    log: EventLog,
    rebuild_records: int,
    kept: SeriesTable | None = None,
    tell: Callable[[Rebuild], None] = _told_nobody,
) -> tuple[SeriesTable, int]:
    """The table of a claimed partition, and the offset it is true at; the store agrees.

    kept: the table at the checkpoint's cursor, where it is still at hand.
    tell: is told how far it has come, part by part.
    """
    bounds = await log.bounds(checkpoint.partition)
    steps = plan(checkpoint.cursor, bounds, rebuild_records)
    table = await _stored(engine, checkpoint, tell) if kept is None else kept
    model = engine.manifest.graph_sha256
    stale_states = checkpoint.model != model
    if stale_states:
        await _rebuild_states(engine, table)
    ended: set[str] = set()
    async for records in log.read(checkpoint.partition, steps.replay_from, steps.go_on_at):
        ended.update(engine.apply(table, records, "none").ended)
        done = records[-1].offset + 1 - steps.replay_from
        tell(Rebuild(len(table), done, steps.go_on_at - steps.replay_from))
    if stale_states or steps.replay_from < steps.go_on_at or checkpoint.cursor is None:
        # Windows that no event has changed stay true at their cursor, whatever becomes of states.
        unchanged = steps.replay_from == steps.go_on_at
        await write_rows(checkpoint, table, checkpoint.cursor if unchanged else None)
        await checkpoint.save({}, steps.go_on_at, model, dropped=table.missing(ended))
    return table, steps.go_on_at


async def write_rows(checkpoint: Checkpoint, table: SeriesTable, cursor: int | None) -> None:
    """Write every row in parts; until a save names the model, their states are nobody's.

    cursor: what the windows are true at meanwhile; None while the rows mean nothing.
    Rows that change meanwhile are for that save to write again.
    """
    rows = table.rows()
    for first in range(0, len(rows), SAVE_ROWS):
        part = table.dump(rows[first : first + SAVE_ROWS])
        await checkpoint.save(part, cursor, NO_MODEL)


async def _rebuild_states(engine: Engine, table: SeriesTable) -> None:
    """Make all states anew, with a breath for the rest of the worker now and then."""
    rows = table.rows()
    for first in range(0, len(rows), SAVE_ROWS):
        engine.rebuild_states(table, rows[first : first + SAVE_ROWS])
        await asyncio.sleep(0)


async def _stored(
    engine: Engine, checkpoint: Checkpoint, tell: Callable[[Rebuild], None]
) -> SeriesTable:
    table = engine.new_table()
    if checkpoint.cursor is not None:
        async for part in checkpoint.rows():
            table.load(part)
            tell(Rebuild(len(table)))
    return table
