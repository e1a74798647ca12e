"""From a claimed checkpoint to a table: the plan for every state of affairs, and its execution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from stream.engine import Engine
from stream.event_log import Bounds
from stream.records import LoggedRecord
from stream.series.table import SeriesTable
from stream.state.checkpoint import Owner
from stream.state.recovery import SAVE_ROWS, Plan, plan, recover
from stream.testing import Fault, FaultyStore, InMemoryLog, InMemoryStore
from stream.watch.health import Rebuild
from tests.stream.events import Event, records_of
from tests.stream.partitions import FIRST, PLACE, SECOND, claim, engine_of
from tidecast.errors import FencedError, LogMismatchError, RedisError

ALL = 10**6


@pytest.mark.parametrize(
    ("case", "cursor", "bounds", "expected"),
    [
        ("the cursor is the commit: go on", 50, Bounds(10, 90, 50), Plan(50, 50)),
        ("behind the commit: catch up silently", 40, Bounds(10, 90, 50), Plan(40, 50)),
        ("beyond the commit: skip to the cursor", 60, Bounds(10, 90, 50), Plan(60, 60)),
        ("nothing was ever committed", 60, Bounds(10, 90, None), Plan(60, 60)),
        ("the cursor is the log's end", 90, Bounds(10, 90, 50), Plan(90, 90)),
        ("the cursor is the log's start", 10, Bounds(10, 90, 10), Plan(10, 10)),
        ("no rows: rebuild from the last events", None, Bounds(10, 90, 50), Plan(30, 50)),
        ("no rows: from all that is held", None, Bounds(40, 90, 50), Plan(40, 50)),
        ("no rows, no commit: from the start", None, Bounds(10, 90, None), Plan(10, 10)),
        ("no rows, an empty log", None, Bounds(0, 0, None), Plan(0, 0)),
    ],
)
def test_the_plan(case: str, cursor: int | None, bounds: Bounds, expected: Plan) -> None:
    assert plan(cursor, bounds, rebuild_records=20) == expected, case


@pytest.mark.parametrize(
    ("cursor", "bounds", "what"),
    [
        (9, Bounds(10, 90, 9), "begins at 10, events from 9 on were never read"),
        (9, Bounds(10, 90, None), "begins at 10, events from 9 on were never read"),
        (9, Bounds(10, 90, 50), "begins at 10, the rows end at 9: .* answers go on at 50"),
        (None, Bounds(60, 90, 50), "begins at 60, events from 50 on were never read"),
        (91, Bounds(10, 90, 50), "ends at 90, and 91 was reached"),
        (5, Bounds(0, 90, 91), "ends at 90, and 91 was reached"),
        (None, Bounds(0, 90, 91), "ends at 90, and 91 was reached"),
    ],
)
def test_a_log_that_does_not_fit_stops_the_worker(
    cursor: int | None, bounds: Bounds, what: str
) -> None:
    with pytest.raises(LogMismatchError, match=what):
        plan(cursor, bounds, rebuild_records=20)


EVENTS = [Event("abc"[n % 3], n // 2 + (n % 7 == 3), float(n)) for n in range(40)]
RECORDS = records_of(EVENTS)


def dumped(table: SeriesTable) -> dict[str, bytes]:
    return table.dump(np.arange(len(table)))


def table_of(records: Sequence[LoggedRecord], engine: Engine) -> SeriesTable:
    table = engine.new_table()
    engine.apply(table, records)
    return table


async def store_at(cursor: int, engine: Engine) -> InMemoryStore:
    """A store that an earlier owner left at a cursor."""
    store = InMemoryStore()
    rows = dumped(table_of(RECORDS[:cursor], engine))
    await (await claim(store, FIRST, engine)).save(rows, cursor, engine.manifest.graph_sha256)
    return store


def log_of(committed: int | None, start: int = 0) -> InMemoryLog:
    log = InMemoryLog()
    log.append(PLACE, RECORDS)
    log.drop_before(PLACE, start)
    if committed is not None:
        log.commit(PLACE, committed)
    return log


async def recovered(
    store: InMemoryStore, log: InMemoryLog, engine: Engine, rebuild_records: int = ALL
) -> tuple[SeriesTable, int]:
    """What the next owner starts from; the store must agree with it."""
    checkpoint = await claim(store, SECOND, engine)
    table, cursor = await recover(engine, checkpoint, log, rebuild_records)
    rows = {key: row async for part in checkpoint.rows() for key, row in part.items()}
    head = await store.head(PLACE)
    assert rows == dumped(table)
    assert head is not None
    assert (head.cursor, head.model) == (cursor, engine.manifest.graph_sha256)
    assert checkpoint.cursor == cursor
    return table, cursor


@pytest.mark.parametrize("committed", [None, 0, 12, 17, 18])
async def test_with_all_rows_there_it_goes_on_at_the_cursor(committed: int | None) -> None:
    engine = engine_of(step_seconds=60)
    table, cursor = await recovered(await store_at(18, engine), log_of(committed), engine)
    assert cursor == 18
    assert dumped(table) == dumped(table_of(RECORDS[:18], engine))


@pytest.mark.parametrize("start", [0, 12])
async def test_lost_writes_are_made_up_from_the_log(start: int) -> None:
    engine = engine_of(step_seconds=60)
    table, cursor = await recovered(await store_at(12, engine), log_of(31, start), engine)
    assert cursor == 31
    assert dumped(table) == dumped(table_of(RECORDS[:31], engine))


@pytest.mark.parametrize("committed", [None, 0, 1, 25, 40])
async def test_an_empty_store_is_rebuilt_from_the_whole_log(committed: int | None) -> None:
    engine = engine_of(step_seconds=60)
    table, cursor = await recovered(InMemoryStore(), log_of(committed), engine)
    assert cursor == (committed or 0)
    assert dumped(table) == dumped(table_of(RECORDS[:cursor], engine))


async def test_a_rebuild_reads_no_more_than_it_may() -> None:
    engine = engine_of(step_seconds=60)
    table, _ = await recovered(InMemoryStore(), log_of(25), engine, rebuild_records=9)
    assert dumped(table) == dumped(table_of(RECORDS[16:25], engine))


async def test_a_rebuild_of_more_rows_than_one_write_takes() -> None:
    engine = engine_of(step_seconds=60)
    log = InMemoryLog(part=1000)
    records = records_of([Event(f"series-{n}", 1, 1.0) for n in range(2 * SAVE_ROWS + 1)])
    log.append(PLACE, records)
    log.commit(PLACE, len(records))
    table, _ = await recovered(InMemoryStore(), log, engine)
    assert len(table) == 2 * SAVE_ROWS + 1


@pytest.mark.parametrize("committed", [18, 30])
async def test_a_new_model_keeps_windows_and_rebuilds_states(committed: int) -> None:
    old, new = (engine_of(step_seconds=60, name=name) for name in ("counting", "counting-2"))
    table, cursor = await recovered(await store_at(18, old), log_of(committed), new)
    expected = table_of(RECORDS[:18], old)
    rows = np.arange(len(expected))
    new.rebuild_states(expected, rows)
    new.apply(expected, RECORDS[18:committed])
    assert cursor == committed
    assert dumped(table) == dumped(expected)


@pytest.mark.parametrize("write", [1, 2])
async def test_a_new_model_that_crashes_half_way_loses_no_window(write: int) -> None:
    """Nor does it need the events that the windows were made of: retention has passed them."""
    old, new = (engine_of(step_seconds=60, name=name) for name in ("counting", "counting-2"))
    inner = await store_at(18, old)
    expected, _ = await recovered(inner.snapshot(), log_of(18), new)
    crashing = FaultyStore(inner, [None] * write + [Fault.REPLY_LOST])
    checkpoint = await claim(crashing, SECOND, new)
    with pytest.raises(RedisError):
        await recover(new, checkpoint, log_of(18, start=18), ALL)
    checkpoint = await claim(inner, Owner(3, "worker-3"), new)
    table, cursor = await recover(new, checkpoint, log_of(18, start=18), ALL)
    assert cursor == 18
    assert dumped(table) == dumped(expected)


async def test_a_new_window_length_rebuilds_everything() -> None:
    old, new = engine_of(step_seconds=60), engine_of(context=5, step_seconds=60)
    table, cursor = await recovered(await store_at(18, old), log_of(18), new)
    assert cursor == 18
    assert dumped(table) == dumped(table_of(RECORDS[:18], new))


async def test_an_owner_that_is_overtaken_while_it_recovers_gives_up() -> None:
    engine = engine_of(step_seconds=60)
    store = await store_at(12, engine)
    slow = await claim(store, SECOND, engine)
    await claim(store, Owner(3, "worker-3"), engine)
    with pytest.raises(FencedError):
        await recover(engine, slow, log_of(31), ALL)


async def test_a_recovery_tells_how_far_it_has_come() -> None:
    engine, told = engine_of(), list[Rebuild]()
    caught_up = await claim(await store_at(10, engine), SECOND, engine)
    table, _ = await recover(engine, caught_up, log_of(31), ALL, tell=told.append)
    loaded = [one for one in told if not one.total]
    assert [one.series for one in loaded] == [1, 2, 3]
    assert {one.total for one in told[3:]} == {21}
    assert [one.done for one in told[3:]] == list(range(3, 22, 3))
    assert told[-1] == Rebuild(len(table), 21, 21)
