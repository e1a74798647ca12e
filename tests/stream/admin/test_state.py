"""The commands on stored state, and that a worker can go on after each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import numpy as np
import pytest

from stream.admin.state import Services, StateAdmin
from stream.engine import Engine
from stream.records import LoggedRecord
from stream.series.table import SeriesTable
from stream.state.checkpoint import Checkpoint, Owner, TopicPartition
from stream.state.recovery import recover
from stream.testing import CountingPredictor, InMemoryGroup, InMemoryLog, InMemoryStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import PARTITIONS, PLACE
from tidecast.errors import EpochError, FencedError, GroupInUseError, LogMismatchError, StateError
from tidecast.settings import StreamSettings
from tidecast.topics import partition_of

OLD: Final = Owner(7, "worker-1", 5)
NEXT: Final = Owner(8, "worker-2", 9)
FIRST_ANEW: Final = Owner(1, "worker-2", 9)
"""Of a group whose generations begin again: only an open fence lets it in."""
SERIES: Final = [
    name for name in "abcdefghijklmnop" if partition_of(name, PARTITIONS) == PLACE.partition
]
RECORDS: Final = records_of([Event(SERIES[n % 2], n, float(n)) for n in range(40)])
CURSOR: Final = 30


def engine_under(epoch: int) -> Engine:
    stream = StreamSettings(partitions=PARTITIONS, step_seconds=60, epoch=epoch)
    return Engine(CountingPredictor(), stream)


def table_of(records: Sequence[LoggedRecord]) -> dict[str, bytes]:
    table = engine_under(0).new_table()
    engine_under(0).apply(table, records)
    return dumped(table)


def dumped(table: SeriesTable) -> dict[str, bytes]:
    return table.dump(np.arange(len(table)))


class World:
    """A stream that a worker has left at CURSOR, all of it committed, under epoch 0."""

    def __init__(self) -> None:
        self.store = InMemoryStore()
        self.set_log(RECORDS, CURSOR)

    @classmethod
    async def left(cls) -> World:
        world = cls()
        admin = world.admin()
        checkpoint = await Checkpoint.claim(world.store, PLACE, OLD, await admin.terms())
        await checkpoint.save(table_of(RECORDS[:CURSOR]), CURSOR, checkpoint.model)
        return world

    def set_log(
        self,
        records: Sequence[LoggedRecord],
        committed: int | None,
        partitions: int = PARTITIONS,
        start: int = 0,
    ) -> None:
        """Another log, and what is committed of it."""
        self.log = InMemoryLog(partitions=partitions)
        self.log.append(PLACE, records)
        self.log.drop_before(PLACE, start)
        if committed is not None:
            self.log.commit(PLACE, committed)
        self.group = InMemoryGroup(self.log)

    def admin(self, epoch: int = 0) -> StateAdmin:
        return StateAdmin(engine_under(epoch), Services(self.store, self.log, self.group))

    async def next_worker(
        self, epoch: int = 0, owner: Owner = FIRST_ANEW
    ) -> tuple[dict[str, bytes], int]:
        """The rows and the offset that the next worker starts from."""
        terms = await self.admin(epoch).terms()
        checkpoint = await Checkpoint.claim(self.store, PLACE, owner, terms)
        table, cursor = await recover(engine_under(epoch), checkpoint, self.log, 1000)
        return dumped(table), cursor


async def rebuild(admin: StateAdmin, accept_loss: bool = False) -> None:
    await admin.apply(await admin.rebuild(accept_loss=accept_loss))


async def test_rows_are_rebuilt_from_the_log_and_answers_go_on_where_they_were() -> None:
    world = await World.left()
    await rebuild(world.admin())
    assert await world.next_worker() == (table_of(RECORDS[:CURSOR]), CURSOR)


async def test_a_commit_that_kafka_has_forgotten_is_set_to_the_cursor() -> None:
    world = await World.left()
    world.set_log(RECORDS, committed=None)
    await rebuild(world.admin())
    assert (await world.log.bounds(PLACE)).committed == CURSOR
    assert await world.next_worker() == (table_of(RECORDS[:CURSOR]), CURSOR)


async def test_events_that_retention_passed_are_given_up_only_when_told_so() -> None:
    world = await World.left()
    world.set_log(RECORDS, committed=CURSOR, start=34)
    with pytest.raises(LogMismatchError, match=r"4 events from 30 on .* --accept-loss"):
        await world.admin().rebuild()
    changes = await world.admin().rebuild(accept_loss=True)
    assert "4 events are lost" in changes[PLACE.partition].says
    await world.admin().apply(changes)
    assert await world.next_worker() == ({}, 34)


async def test_nothing_is_lost_where_only_the_rows_were_behind_the_log() -> None:
    world = await World.left()
    world.set_log(RECORDS, committed=36, start=33)
    with pytest.raises(LogMismatchError, match="answers go on at 36"):
        await world.next_worker(owner=NEXT)
    await rebuild(world.admin())
    assert await world.next_worker() == (table_of(RECORDS[33:36]), 36)


@pytest.mark.parametrize("committed", [None, CURSOR])
async def test_a_log_created_anew_is_answered_from_its_start_under_a_new_epoch(
    committed: int | None,
) -> None:
    world = await World.left()
    world.set_log(RECORDS[:9], committed)
    with pytest.raises(EpochError, match=r"ends at 9, and 30 .* raise stream.epoch"):
        await world.admin(epoch=0).rebuild()
    await rebuild(world.admin(epoch=1))
    assert await world.next_worker(epoch=1) == ({}, 0)


async def test_a_log_created_anew_and_grown_is_answered_from_its_start() -> None:
    """Kafka drops the commits of a topic that is deleted; the cursor is of the old one."""
    world = await World.left()
    world.set_log(RECORDS, committed=None)
    await rebuild(world.admin(epoch=1))
    assert await world.next_worker(epoch=1) == ({}, 0)


async def test_after_a_rebuild_a_worker_of_the_old_epoch_is_refused() -> None:
    world = await World.left()
    world.set_log(RECORDS[:9], None)
    await rebuild(world.admin(epoch=1))
    with pytest.raises(EpochError):
        await world.next_worker(epoch=0)


@pytest.mark.parametrize("partitions", [PARTITIONS + 1, PARTITIONS - 1])
async def test_a_topic_of_another_size_is_rebuilt(partitions: int) -> None:
    world = await World.left()
    gone = TopicPartition(PLACE.topic, PARTITIONS - 1)
    checkpoint = await Checkpoint.claim(world.store, gone, OLD, await world.admin().terms())
    await checkpoint.save({"x": b"1"}, 5, checkpoint.model)
    world.set_log([*RECORDS], CURSOR, partitions)
    if partitions > PARTITIONS:
        world.log.append(gone, RECORDS[:5])
    await rebuild(world.admin())
    assert await world.next_worker() == (table_of(RECORDS[:CURSOR]), CURSOR)
    assert (await world.store.size(gone)).rows == 0
    assert (await world.store.head(gone) is None) == (partitions < PARTITIONS)


async def test_one_partition_is_rebuilt_and_an_unknown_one_refused() -> None:
    world = await World.left()
    changes = await world.admin().rebuild([1, PLACE.partition])
    assert [change.place.partition for change in changes] == [1, PLACE.partition]
    with pytest.raises(StateError, match="has no partition 4, but 0 to 3"):
        await world.admin().rebuild([4])


async def test_the_epoch_is_moved_and_the_fence_opened_with_rows_and_cursor_kept() -> None:
    world = await World.left()
    with pytest.raises(EpochError):
        await world.next_worker(epoch=3, owner=NEXT)
    with pytest.raises(FencedError):
        await world.next_worker(epoch=0)
    await world.admin(epoch=3).apply(await world.admin(epoch=3).move_epoch())
    assert await world.next_worker(epoch=3) == (table_of(RECORDS[:CURSOR]), CURSOR)


async def test_the_epoch_is_not_moved_with_rows_of_another_log() -> None:
    world = await World.left()
    world.set_log(RECORDS[:9], None)
    with pytest.raises(LogMismatchError, match=r"log created anew.*: tidecast state rebuild"):
        await world.admin(epoch=1).move_epoch()


async def test_a_dropped_series_begins_afresh_and_the_others_go_on() -> None:
    world = await World.left()
    elsewhere = next(name for name in "abcdefgh" if name not in SERIES)
    wanted = [SERIES[0], elsewhere, SERIES[0], SERIES[3]]
    changes, missing = await world.admin().drop_series(wanted)
    assert missing == [elsewhere, SERIES[3]]
    await world.admin().apply(changes)
    head = await world.store.head(PLACE)
    assert head is not None
    assert (head.cursor, head.member) == (CURSOR, OLD.member)
    expected = table_of(RECORDS[:CURSOR])
    assert await world.store.find(PLACE, SERIES) == {SERIES[1]: expected[SERIES[1]]}


async def test_no_change_is_planned_while_workers_run() -> None:
    world = await World.left()
    world.group.present.append("worker-1-abc")
    admin = world.admin()
    for plan in (admin.rebuild(), admin.move_epoch(), admin.drop_series(SERIES)):
        with pytest.raises(GroupInUseError, match=r"running: worker-1-abc; stop them.*session_s"):
            await plan
    with pytest.raises(GroupInUseError):
        await admin.wait_until_idle(limit_s=0)
    asyncio.get_running_loop().call_soon(world.group.present.clear)
    await admin.wait_until_idle(limit_s=5)


async def test_a_worker_that_starts_in_between_keeps_what_it_claimed() -> None:
    world = await World.left()
    admin = world.admin()
    series, _ = await admin.drop_series(SERIES)
    plans = [await admin.rebuild(), await admin.move_epoch(), series]
    newer = Owner(8, "worker-3", 9)
    claimed = await Checkpoint.claim(world.store, PLACE, newer, await admin.terms())
    for changes in plans:
        with pytest.raises(FencedError, match="claimed meanwhile"):
            await admin.apply([change for change in changes if change.place == PLACE])
    await claimed.save({}, CURSOR + 1, claimed.model)


async def test_no_state_is_dropped_when_a_worker_forbids_the_commit() -> None:
    world = await World.left()
    world.set_log(RECORDS, committed=None)
    changes = await world.admin().rebuild()
    before = await world.store.head(PLACE)
    world.group.present.append("worker-1-abc")
    with pytest.raises(GroupInUseError):
        await world.admin().apply(changes)
    assert await world.store.head(PLACE) == before


async def test_a_rebuild_that_was_cut_short_after_its_commits_is_repeated() -> None:
    world = await World.left()
    world.set_log(RECORDS, committed=CURSOR, start=34)
    world.log.commit(PLACE, 34)
    await rebuild(world.admin())
    assert await world.next_worker() == ({}, 34)


async def test_a_write_whose_reply_was_lost_is_recognised() -> None:
    world = await World.left()
    changes = await world.admin().rebuild([PLACE.partition])
    for _ in range(2):
        await world.admin().apply(changes)
    assert (await world.store.size(PLACE)).rows == 0


async def test_a_zombie_of_the_old_log_is_told_by_its_terms() -> None:
    """One that wakes before any worker has started claims anew; nobody goes on with its rows."""
    world = await World.left()
    terms = await world.admin().terms()
    zombie = await Checkpoint.claim(world.store, PLACE, OLD, terms)
    world.set_log(RECORDS[:9], None)
    await rebuild(world.admin(epoch=1))
    await zombie.renew()
    with pytest.raises(EpochError):
        await world.next_worker(epoch=1, owner=NEXT)
