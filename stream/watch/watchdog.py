"""Watchdogs: what a healthy worker never does for long. Judgement alone; the clock is given."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from stream.state.checkpoint import TopicPartition
from stream.watch.health import Facts, Held, Rebuild, lag_of
from tidecast.errors import WatchdogError

COMMIT_S: Final = 10.0
"""A checkpoint older than this has had its commit, ten times over."""

BEAT_S: Final = 1.0
"""Pause between two signs of life that are asked of the event loop."""

Mark = tuple[Held | None, Mapping[TopicPartition, Rebuild], int | None]


@dataclass
class _Progress:
    """Since when a partition stands still, by all that moves when it does not."""

    mark: Mark
    since_s: float


@dataclass
class _Commits:
    """Since when checkpoints are ahead of a commit, and when another one followed since."""

    committed: int | None
    saved: int
    since_s: float
    again_s: float | None = None


class Findings(NamedTuple):
    """What has stood still for too long.

    stalled: partitions whose lag nobody works on. uncommitted: those whose checkpoints advance
    while Kafka's commit does not.
    """

    stalled: list[TopicPartition]
    uncommitted: list[TopicPartition]


class Watchdog:
    """Fed with facts every few seconds, it names what has stood still for `stall_s`."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._progress: dict[TopicPartition, _Progress] = {}
        self._commits: dict[TopicPartition, _Commits] = {}
        self._looked_s: float | None = None

    def look(self, facts: Facts, now_s: float) -> Findings:
        """What stands still at `now_s`.

        Nobody is blamed while Kafka is silent, Redis is waited for, or we were not running.
        """
        overslept = self._looked_s is not None and now_s - self._looked_s > self._stall_s / 2
        self._looked_s = now_s
        if overslept or facts.kafka_silent_s > 0 or facts.state.holding:
            self._progress, self._commits = {}, {}
            return Findings([], [])
        return Findings(self._stalled(facts, now_s), self._uncommitted(facts, now_s))

    def _stalled(self, facts: Facts, now_s: float) -> list[TopicPartition]:
        lagging = [place for place in facts.membership.assigned if lag_of(place, facts)]
        self._progress = {place: self._seen(place, facts, now_s) for place in lagging}
        return [
            place for place, one in self._progress.items() if now_s - one.since_s >= self._stall_s
        ]

    def _uncommitted(self, facts: Facts, now_s: float) -> list[TopicPartition]:
        """Faust never repeats a failed commit before there is more to commit, so one checkpoint
        that stays uncommitted says nothing on a quiet stream; a second one does.
        """
        places = facts.state.held.keys() & facts.kafka.keys()
        behind = [
            place
            for place in places
            if (facts.kafka[place].committed or 0) < facts.state.held[place].saved
        ]
        self._commits = {place: self._behind(place, facts, now_s) for place in behind}
        return [
            place
            for place, one in self._commits.items()
            if now_s - one.since_s >= self._stall_s
            and one.again_s is not None
            and now_s - one.again_s >= COMMIT_S
        ]

    def _seen(self, place: TopicPartition, facts: Facts, now_s: float) -> _Progress:
        # Claims come one by one, and work on other partitions waits for them.
        state = facts.state
        mark = (state.held.get(place), state.claiming, facts.kafka[place].committed)
        known = self._progress.get(place)
        return known if known and known.mark == mark else _Progress(mark, now_s)

    def _behind(self, place: TopicPartition, facts: Facts, now_s: float) -> _Commits:
        saved, committed = facts.state.held[place].saved, facts.kafka[place].committed
        known = self._commits.get(place)
        if known is None or known.committed != committed:
            return _Commits(committed, saved, now_s)
        if known.again_s is None and saved > known.saved:
            known.again_s = now_s
        return known


def watch_loop(limit_s: float, leave: Callable[[Exception], None]) -> Callable[[], None]:
    """Watch the running event loop from a thread: blocked for `limit_s`, it could watch nothing.

    Seconds are counted as they are lived through, so those of a suspended process do not count.
    Returns the function that ends the watch.
    """
    loop, alive, done = asyncio.get_running_loop(), threading.Event(), threading.Event()

    def watch() -> None:
        waited_s = 0.0
        while not done.wait(BEAT_S):
            waited_s = 0.0 if alive.is_set() else waited_s + BEAT_S
            alive.clear()
            if waited_s > limit_s:
                blocked = f"the event loop has been blocked for {waited_s:.0f} s"
                leave(WatchdogError(f"{blocked} (worker.stall_s is {limit_s:g})"))
            with contextlib.suppress(RuntimeError):  # the loop was closed a moment ago
                loop.call_soon_threadsafe(alive.set)

    threading.Thread(target=watch, name="watch the event loop", daemon=True).start()
    return done.set
