"""Workers that die, sleep, or come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from bench.faults.fated_worker import POINTS
from bench.faults.fault import Fault, Stage
from bench.group import await_members
from bench.processes import BenchError
from bench.streams import event_partitions
from stream.app import group_of
from stream.state.checkpoint import TopicPartition
from stream.state.redis_store import RedisStore
from tidecast.errors import RedisError

TAKEN_OVER_S: Final = 3.0
"""What the others may need to catch up, when Kafka has given them the sleeper's partitions."""
AWAKE_S: Final = 3.0
"""Long enough for one that wakes to do whatever it still would."""
LAST_MOMENT_S: Final = 3.0
"""Time to write a checkpoint, on a busy machine too. To join the group again takes longer: Kafka
waits for the others, who sleep."""
DEATH_S: Final = 60.0
LOOK_S: Final = 0.05
COME_AND_GO_S: Final = 5.0


def kill(stage: Stage) -> None:
    """SIGKILL one worker, decided by the seed."""
    stage.fleet.kill(stage.random.choice(stage.fleet.numbers))


def lose(stage: Stage) -> None:
    """SIGKILL one worker for good, decided by the seed."""
    stage.fleet.lose(stage.random.choice(stage.fleet.numbers))


def sleep_past_session(stage: Stage) -> None:
    """SIGSTOP one worker until others have its partitions, and SIGCONT: a zombie."""
    stage.fleet.resume(_put_to_sleep(stage, stage.fleet.pause))
    time.sleep(AWAKE_S)


def sleep_and_die(stage: Stage) -> None:
    """The same, while the others sleep, and SIGKILL of all: they find what the sleeper wrote."""
    _die_after(stage, _put_to_sleep(stage, stage.fleet.pause))


def sleep_at_checkpoint(stage: Stage) -> None:
    """The same, of a doomed worker, which falls asleep right before a checkpoint."""
    _die_after(stage, _put_to_sleep(stage, stage.fleet.doom))


def _die_after(stage: Stage, sleeper: int) -> None:
    for number in stage.fleet.numbers:
        if number != sleeper:
            stage.fleet.pause(number)
    asyncio.run(_last_moment(stage, sleeper))
    for number in stage.fleet.numbers:
        stage.fleet.kill(number)


async def _last_moment(stage: Stage, sleeper: int) -> None:
    """Wake the sleeper, and return once the state has gone back by what it wrote, if it ever does.

    At once: the more it writes, the more is of one age again, and as good as any older state.
    """
    store = RedisStore(stage.settings.redis, group_of(stage.settings))
    before = await _cursors(stage, store)
    stage.fleet.resume(sleeper)
    deadline = time.monotonic() + LAST_MOMENT_S
    while time.monotonic() < deadline:
        now = await _cursors(stage, store)
        if any(now.get(place, cursor) < cursor for place, cursor in before.items()):
            break
        await asyncio.sleep(LOOK_S)
    await store.close()


async def _cursors(stage: Stage, store: RedisStore) -> dict[TopicPartition, int]:
    """Up to where each partition is in the store; nothing while that is away, by another fault."""
    try:
        heads = {place: await store.head(place) for place in event_partitions(stage.settings)}
    except RedisError:
        return {}
    return {place: (head.cursor or 0) if head else 0 for place, head in heads.items()}


def _put_to_sleep(stage: Stage, pause: Callable[[int], None]) -> int:
    """Pause one worker, decided by the seed; which one, when others have its partitions."""
    number = stage.random.choice(stage.fleet.numbers)
    others = len(stage.fleet.numbers) - 1
    pause(number)
    await_members(stage.settings, others)
    time.sleep(TAKEN_OVER_S)
    return number


def roll(stage: Stage) -> None:
    """SIGTERM each worker in turn, and start it again."""
    for number in stage.fleet.numbers:
        stage.fleet.stop(number)
        stage.fleet.start(number)
        stage.fleet.await_log(number, '"worker started"')


def replace_all(stage: Stage) -> None:
    """Start another in the place of each worker in turn: the old one ends by itself."""
    for number in stage.fleet.numbers:
        stage.fleet.replace(number)
        stage.fleet.await_log(number, '"worker started"')


def come_and_go(stage: Stage) -> None:
    """A third worker joins for five seconds and is away for five, twice."""
    for _ in range(2):
        stage.fleet.start(2, member=False)
        time.sleep(COME_AND_GO_S)
        stage.fleet.stop(2)
        time.sleep(COME_AND_GO_S)


def await_death(stage: Stage) -> None:
    """Return when a worker has ended by itself. Raises BenchError when none does."""
    deadline = time.monotonic() + DEATH_S
    while not stage.fleet.exits:
        if time.monotonic() > deadline:
            raise BenchError("the worker that was to die has not come to that point")
        time.sleep(LOOK_S)


def die_at_checkpoint(stage: Stage) -> None:
    """One doomed worker dies right after a checkpoint, decided by the seed."""
    stage.fleet.doom(stage.random.choice(stage.fleet.numbers))
    await_death(stage)


def fated(point: str) -> Callable[[Random], Sequence[str]]:
    """The module of a worker that dies at a point; a checkpoint is rarer than a batch."""
    earliest, latest = (4, 12) if "checkpoint" in point or "commit" in point else (30, 120)

    def module(random: Random) -> Sequence[str]:
        return "bench.faults.fated_worker", point, str(random.randint(earliest, latest))

    return module


WORKER_FAULTS: Final = (
    *(
        Fault(
            name=f"worker-kill-{point.replace('_', '-')}",
            group="worker",
            about=f"SIGKILL {point.replace('_', ' ')}",
            act=await_death,
            first=fated(point),
            outage_bar_s=15,
        )
        for point in POINTS
    ),
    Fault(
        name="worker-kill",
        group="worker",
        about="SIGKILL of one of two at a random moment",
        act=kill,
        outage_bar_s=15,
    ),
    Fault(
        name="worker-lost",
        group="worker",
        about="SIGKILL of one of two, which never comes back: the other takes over",
        act=lose,
        members=False,
        outage_bar_s=15,
    ),
    Fault(
        name="worker-zombie",
        group="worker",
        about="SIGSTOP past the session timeout, and back",
        act=sleep_past_session,
    ),
    Fault(
        name="worker-zombie-dies",
        group="worker",
        about="the same, and SIGKILL of all as soon as it is back",
        act=sleep_and_die,
    ),
    Fault(
        name="worker-rolling-restart",
        group="worker",
        about="SIGTERM and start of three workers, one after the other",
        act=roll,
        workers=3,
    ),
    Fault(
        name="worker-rolling-replacement",
        group="worker",
        about="three workers replaced by new ones of the same place, one after the other",
        act=replace_all,
        workers=3,
        outage_bar_s=1,
    ),
    Fault(
        name="worker-comes-and-goes",
        group="worker",
        about="a third worker coming and going every 5 s",
        act=come_and_go,
    ),
)
