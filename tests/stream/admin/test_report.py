"""What is shown of partitions and series."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from stream.admin.report import PartitionReport, SeriesReport, report_partitions, report_series
from stream.admin.state import Services, StateAdmin
from stream.engine import Engine
from stream.state.checkpoint import Checkpoint, Owner
from stream.testing import CountingPredictor, InMemoryGroup, InMemoryLog, InMemoryStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import PARTITIONS, PLACE, engine_of
from tidecast.errors import StateError
from tidecast.topics import partition_of

OWNER: Final = Owner(7, "worker-1", 5)
SERIES: Final = next(name for name in "abcdefgh" if partition_of(name, PARTITIONS) == 2)
SLOTS: Final = (1, 2, 4, 5)
RECORDS: Final = records_of([Event(SERIES, slot, slot / 10) for slot in SLOTS])


async def admin_of(engine: Engine) -> StateAdmin:
    """Of a stream with one series, left by a worker of `engine` and all committed."""
    store, log = InMemoryStore(), InMemoryLog()
    log.append(PLACE, RECORDS)
    log.commit(PLACE, 3)
    admin = StateAdmin(engine, Services(store, log, InMemoryGroup(log)))
    checkpoint = await Checkpoint.claim(store, PLACE, OWNER, await admin.terms())
    table = engine.new_table()
    engine.apply(table, RECORDS[:3])
    await checkpoint.save(table.dump(table.rows_of([SERIES])), 3, checkpoint.model)
    return admin


async def test_a_partition_is_shown_with_owner_offsets_and_size() -> None:
    engine = engine_of(step_seconds=60)
    (report,) = await report_partitions(await admin_of(engine), only=PLACE.partition)
    assert report == PartitionReport(
        partition=2,
        verdict="fine",
        detail="",
        command=None,
        generation=7,
        member="worker-1",
        cursor=3,
        committed=3,
        log_start=0,
        log_end=4,
        lag=1,
        rows=1,
        bytes=engine.layout.dtype().itemsize,
        model="counting 1",
        layout_fits=True,
        epoch=0,
    )


async def test_all_partitions_are_shown_also_those_without_state() -> None:
    admin = await admin_of(engine_of(step_seconds=60))
    reports = await report_partitions(admin)
    verdicts = {report.partition: report.verdict for report in reports}
    assert verdicts == {0: "nothing stored", 1: "nothing stored", 2: "fine", 3: "nothing stored"}
    assert (reports[0].cursor, reports[0].model, reports[0].layout_fits) == (None, None, None)
    with pytest.raises(StateError, match="no partition 4"):
        await report_partitions(admin, only=4)


async def test_rows_of_another_model_are_shown_by_its_hash() -> None:
    old = await admin_of(engine_of(step_seconds=60))
    new = Engine(CountingPredictor(name="counting-2"), old.engine.stream)
    (report,) = await report_partitions(StateAdmin(new, old.services), only=PLACE.partition)
    assert report.model == old.engine.manifest.graph_sha256[:12]
    assert report.verdict == "another model"


async def test_a_series_is_shown_with_its_last_values() -> None:
    admin = await admin_of(engine_of(context=3, step_seconds=60))
    assert await report_series(admin, SERIES) == SeriesReport(
        series_id=SERIES,
        partition=2,
        newest=datetime.fromtimestamp(4 * 60, UTC),
        span=3,
        values={"value": [0.2, None, 0.4]},
        status="ok",
    )


async def test_a_young_series_is_cold() -> None:
    admin = await admin_of(engine_of(context=30, step_seconds=60))
    report = await report_series(admin, SERIES)
    assert (report.span, report.status) == (4, "cold")
    assert len(report.values["value"]) == 4


async def test_a_series_that_cannot_be_shown_is_an_error() -> None:
    old = await admin_of(engine_of(step_seconds=60))
    with pytest.raises(StateError, match="nothing is stored of series 'nobody'"):
        await report_series(old, "nobody")
    new = StateAdmin(engine_of(context=5, step_seconds=60), old.services)
    with pytest.raises(StateError, match="stored in another layout"):
        await report_series(new, SERIES)
