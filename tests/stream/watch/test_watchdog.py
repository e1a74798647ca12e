"""What stands still is named, and nothing else ever is."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Final

import pytest

from stream.watch.health import Facts, Held, Membership, Offsets, Rebuild
from stream.watch.watchdog import BEAT_S, Findings, Watchdog, watch_loop
from tests.stream.facts import WELL, state
from tests.stream.partitions import PLACE
from tidecast.errors import WatchdogError

STALL_S: Final = 60.0
LOOK_S: Final = 5.0
BEHIND: Final = WELL._replace(kafka={PLACE: Offsets(99, 10)})


def first_finding(
    facts_at: Callable[[int], Facts], looks: int = 100, every_s: float = LOOK_S
) -> tuple[float, Findings] | None:
    """When a watchdog finds what in facts that change from look to look."""
    watchdog = Watchdog(STALL_S)
    for look in range(looks):
        found = watchdog.look(facts_at(look), look * every_s)
        if found.stalled or found.uncommitted:
            return look * every_s, found
    return None


def test_lag_that_nobody_works_on_is_a_stall() -> None:
    assert first_finding(lambda _: BEHIND) == (STALL_S, Findings([PLACE], []))


def test_so_is_lag_of_a_partition_that_is_never_claimed() -> None:
    facts = BEHIND._replace(state=state(None))
    assert first_finding(lambda _: facts) == (STALL_S, Findings([PLACE], []))


def test_a_rebuild_that_stands_still_is_one_too() -> None:
    facts = BEHIND._replace(state=state(None, Rebuild(7, 43, 100)))
    assert first_finding(lambda _: facts) == (STALL_S, Findings([PLACE], []))


@pytest.mark.parametrize(
    "facts_at",
    [
        pytest.param(lambda _: WELL, id="nothing waits"),
        pytest.param(
            lambda look: BEHIND._replace(state=state(Held(2, 10 + look // 10, 10))), id="slow work"
        ),
        pytest.param(
            lambda look: BEHIND._replace(state=state(None, Rebuild(7, look, 100))), id="a rebuild"
        ),
        pytest.param(
            lambda look: BEHIND._replace(state=state(None, Rebuild(look))), id="rows being loaded"
        ),
        pytest.param(lambda _: BEHIND._replace(kafka_silent_s=9.0), id="Kafka is silent"),
        pytest.param(lambda _: BEHIND._replace(state=state(store_down_s=45)), id="Redis is away"),
        pytest.param(
            lambda _: BEHIND._replace(membership=Membership(True, frozenset())), id="not ours"
        ),
    ],
)
def test_what_is_no_stall(facts_at: Callable[[int], Facts]) -> None:
    assert first_finding(facts_at) is None


def test_a_process_that_was_suspended_is_given_its_time_again() -> None:
    assert first_finding(lambda _: BEHIND, looks=10, every_s=STALL_S) is None


def test_a_stall_is_counted_from_the_end_of_an_outage() -> None:
    silent = BEHIND._replace(kafka_silent_s=1.0)
    found = first_finding(lambda look: silent if look < 20 else BEHIND)
    assert found == (20 * LOOK_S + STALL_S, Findings([PLACE], []))


def saving(cursor: int, committed: int | None) -> Facts:
    return WELL._replace(
        state=state(Held(2, cursor, cursor)), kafka={PLACE: Offsets(cursor, committed)}
    )


def test_checkpoints_that_advance_without_commits() -> None:
    found = first_finding(lambda look: saving(20 + look, 10))
    assert found == (STALL_S, Findings([], [PLACE]))
    assert first_finding(lambda look: saving(20 + look, None)) is not None


def test_commits_may_trail() -> None:
    assert first_finding(lambda look: saving(20 + look, 10 + look // 10 * 10)) is None


def test_one_failed_commit_on_a_quiet_stream_is_made_good_by_the_next() -> None:
    assert first_finding(lambda _: saving(20, 10)) is None
    hourly = first_finding(
        lambda look: saving(20, 10) if look < 50 else saving(21, 10 if look == 50 else 21)
    )
    assert hourly is None


def test_two_failed_commits_on_a_quiet_stream_are_found() -> None:
    found = first_finding(lambda look: saving(20 + look // 50, 10))
    assert found == (52 * LOOK_S, Findings([], [PLACE]))


async def test_a_blocked_event_loop_is_seen_from_outside_it() -> None:
    left: queue.Queue[Exception] = queue.Queue()
    unwatch = watch_loop(BEAT_S / 2, left.put)
    error = left.get(timeout=10 * BEAT_S)
    unwatch()
    assert isinstance(error, WatchdogError)
    assert "blocked for" in str(error)


async def test_a_loop_that_runs_is_left_alone_until_the_watch_ends() -> None:
    left: list[Exception] = []
    before = set(threading.enumerate())
    unwatch = watch_loop(2 * BEAT_S, left.append)
    (watcher,) = set(threading.enumerate()) - before
    await asyncio.to_thread(watcher.join, 4 * BEAT_S)
    assert watcher.is_alive()
    unwatch()
    await asyncio.to_thread(watcher.join, 4 * BEAT_S)
    assert (watcher.is_alive(), left) == (False, [])
