"""The verdict on a stored partition, and that it is the worker's own."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.admin.inspection import Judgement, PartitionState, Verdict, judge, look
from stream.event_log import Bounds
from stream.state.checkpoint import Checkpoint, Head, Owner, Terms, TopicPartition, Write
from stream.state.recovery import plan
from stream.testing import InMemoryLog, InMemoryStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import PLACE
from tidecast.errors import StateError

TERMS: Final = Terms("layout", "model", 4, epoch=2)
HEAD: Final = Head(9, "worker-1", 5, 50, "layout", "model", 4, 2, 17)
BOUNDS: Final = Bounds(10, 90, 50)
STOPPING: Final = {
    Verdict.RETENTION,
    Verdict.ROWS_BEHIND,
    Verdict.LOG_ANEW,
    Verdict.PARTITIONS,
    Verdict.EPOCH,
    Verdict.FORGOTTEN,
}


def judged(head: Head | None, bounds: Bounds | None, *, forgotten: bool = False) -> Judgement:
    return judge(PartitionState(PLACE, head, bounds), TERMS, forgotten=forgotten)


@pytest.mark.parametrize(
    ("changes", "bounds", "verdict", "detail", "command"),
    [
        ({}, BOUNDS, "fine", "", None),
        ({"cursor": 70}, BOUNDS, "fine", "", None),
        ({"cursor": None}, BOUNDS, "nothing stored", "from the log", None),
        ({"layout": "x"}, BOUNDS, "another layout", "rows anew", None),
        ({"model": "x"}, BOUNDS, "another model", "states anew", None),
        (
            {},
            Bounds(55, 90, 50),
            "retention passed events",
            "5 events were never read",
            "tidecast state rebuild --accept-loss",
        ),
        ({}, Bounds(55, 90, 60), "rows behind", "no event is lost", "tidecast state rebuild"),
        ({}, Bounds(0, 49, None), "log created anew", "ends at 49, 50 was", "raise stream.epoch"),
        ({"epoch": 1}, Bounds(0, 49, None), "log created anew", "", "tidecast state rebuild"),
        ({"cursor": 5}, Bounds(0, 40, 41), "log created anew", "ends at 40, 41", "raise"),
        ({"partitions": 3}, BOUNDS, "partitions changed", "3 when .* 4 now", "state rebuild"),
        ({"epoch": 1}, BOUNDS, "another epoch", "under 1, stream.epoch is 2", "move-epoch"),
        ({}, None, "no such partition", "has 4 partitions", "tidecast state rebuild"),
    ],
)
def test_the_verdict_and_the_way_out(
    changes: dict[str, object],
    bounds: Bounds | None,
    verdict: str,
    detail: str,
    command: str | None,
) -> None:
    found = judged(msgspec.structs.replace(HEAD, **changes), bounds)
    assert found.verdict.value.startswith(verdict)
    assert re.search(detail, found.detail)
    assert (found.command is None) == (command is None)
    assert (command or "") in (found.command or "")


def test_nothing_stored_and_nothing_committed_is_a_beginning() -> None:
    assert judged(None, Bounds(0, 0, None)).verdict is Verdict.NOTHING
    assert judged(None, Bounds(60, 90, 50)).verdict is Verdict.RETENTION
    assert judged(None, Bounds(0, 40, 50)).verdict is Verdict.LOG_ANEW


def test_a_group_that_kafka_has_forgotten_needs_an_open_fence() -> None:
    found = judged(HEAD, BOUNDS, forgotten=True)
    assert (found.verdict, found.command) == (Verdict.FORGOTTEN, "tidecast state move-epoch")
    opened = msgspec.structs.replace(HEAD, generation=0, member="")
    assert judged(opened, BOUNDS, forgotten=True).verdict is Verdict.FINE


@given(
    offsets=st.tuples(st.none() | st.integers(0, 12), st.none() | st.integers(0, 12)),
    log=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    changes=st.tuples(st.sampled_from([3, 4]), st.sampled_from([1, 2, 3]), st.integers(0, 3)),
    forgotten=st.booleans(),
)
def test_a_worker_stops_for_what_is_judged_so_and_for_nothing_else(
    offsets: tuple[int | None, int | None],
    log: tuple[int, int],
    changes: tuple[int, int, int],
    forgotten: bool,
) -> None:
    (cursor, committed), (start, length) = offsets, log
    partitions, epoch, generation = changes
    head = Head(generation, "worker-1", 5, cursor, "layout", "model", partitions, epoch, 17)
    bounds = Bounds(start, start + length, committed)
    owner = Owner(1 if forgotten else generation + 1, "worker-2", 6)
    verdict = judged(head, bounds, forgotten=forgotten).verdict
    assert (verdict in STOPPING) == asyncio.run(worker_stops(head, bounds, owner)), verdict


async def worker_stops(head: Head, bounds: Bounds, owner: Owner) -> bool:
    """Whether an owner of our terms meets an error when it takes the partition over."""
    store = InMemoryStore()
    await store.swap(PLACE, None, Write(head))
    try:
        checkpoint = await Checkpoint.claim(store, PLACE, owner, TERMS)
        plan(checkpoint.cursor, bounds, rebuild_records=1000)
    except StateError:
        return True
    return False


@pytest.mark.parametrize(
    ("cursor", "bounds", "lag"),
    [
        (50, Bounds(10, 90, 40), 40),
        (50, Bounds(60, 90, 40), 30),
        (50, Bounds(0, 40, None), 0),
        (None, Bounds(10, 90, None), 80),
    ],
)
def test_the_lag_is_what_waits_in_the_log(cursor: int | None, bounds: Bounds, lag: int) -> None:
    head = msgspec.structs.replace(HEAD, cursor=cursor)
    assert PartitionState(PLACE, head, bounds).lag == lag
    assert PartitionState(PLACE, head, None).lag == 0


async def test_partitions_that_the_topic_had_are_looked_at_too() -> None:
    log, store = InMemoryLog(partitions=2), InMemoryStore()
    first, second, third, fifth = (TopicPartition("events", number) for number in (0, 1, 2, 4))
    log.append(second, records_of([Event("a", 1, 1.0)]))
    log.commit(second, 1)
    old = msgspec.structs.replace(HEAD, partitions=5)
    for place in (second, fifth):
        await store.swap(place, None, Write(old))
    assert await look(store, log, "events") == [
        PartitionState(first, None, Bounds(0, 0, None)),
        PartitionState(second, old, Bounds(0, 1, 1)),
        PartitionState(fifth, old, None),
    ]
    assert await store.head(third) is None
