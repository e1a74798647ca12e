"""One repeat: a fresh stream, workers, events, the fault in their midst, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from bench.faults.driver import Driver
from bench.faults.fault import Fault, Stage
from bench.faults.fleet import Fleet
from bench.faults.place import Place
from bench.faults.points import STEP_MS, Load, Point, Points
from bench.faults.ruins import must_refuse
from bench.faults.timing import catch_up_s, outage_s
from bench.faults.verdict import Verdict
from bench.faults.verifier import verify
from bench.group import await_members
from bench.processes import BenchError
from bench.streams import Ends, event_partitions, fresh_name, stream_topics
from stream.app import group_of
from stream.state.redis_store import RedisStore
from stream.worker import load_engine
from tidecast.errors import TidecastError
from tidecast.settings import Settings, StreamSettings
from tidecast.topics import Topics

READY_S: Final = 60.0
SETTLE_S: Final = 90.0
"""How long the workers may take to the end of the log when driver and fault are done."""
CONTROL_SETTLE_S: Final = 25.0
"""Enough for what is killed to come back and to answer."""
LOOK_S: Final = 0.1
FLOWING: Final = 1.4
"""Events flow for so many times the length of a fault that lasts."""
SHARES: Final = (0.35, 0.6)
"""When a fault comes: which share of the events is out by then, decided by the seed."""
SHARES_BEFORE_LASTING: Final = (0.1, 0.25)
"""The same for a fault that lasts: what is left flows longer than the fault."""


def run_repeat(place: Place, fault: Fault, load: Load, seed: int, logs: Path) -> Verdict:
    """Run one repeat; the workers' logs go to the folder `logs`.

    Raises BenchError when it could not be run as it should.
    """
    random = Random(f"{fault.name} {seed}")
    with _stage(place, fault, fault.loaded(load), random, logs) as stage:
        begun_ms = _now_ms()
        healed_ms = _commit(fault, stage)
        # A broken worker may never come to the end: it is given less time.
        limit_s = CONTROL_SETTLE_S if fault.control else SETTLE_S
        settled = asyncio.run(_settled(stage.settings, limit_s))
        stage.fleet.stop_all()
        found, times = verify(stage.settings, load_engine(stage.settings))
        if fault.ruin is not None:
            fault.ruin(stage)
            must_refuse(stage)
        return Verdict(
            found=found,
            outage_s=outage_s(times, begun_ms),
            catch_up_s=catch_up_s(times, healed_ms, _rate(fault, load)),
            peak_memory_bytes=stage.fleet.peak_bytes,
            restarts=stage.fleet.restarts,
            exits=stage.fleet.exits,
            settled=settled,
        )


def _commit(fault: Fault, stage: Stage) -> int:
    """Commit the fault while events flow; when it was over: milliseconds since 1970."""
    stage.driver.start()
    shares = SHARES_BEFORE_LASTING if fault.lasts_s else SHARES
    stage.driver.await_share(stage.random.uniform(*shares))
    _act(fault, stage)
    healed_ms = _now_ms()
    stage.driver.join()
    # Whatever the fault did, each series has an event behind it: a worker need not notice before
    # that its Redis was rolled back.
    stage.epilogue.start()
    stage.epilogue.join()
    return healed_ms


@contextlib.contextmanager
def _stage(place: Place, fault: Fault, load: Load, random: Random, logs: Path) -> Iterator[Stage]:
    """A stream whose workers have answered the first slot of every series."""
    # Sums, so that an event applied twice changes the window.
    stream = StreamSettings(**{"name": fresh_name(), "aggregate": "sum", **fault.stream})
    settings = place.settings(stream)
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    slots = load.events // load.series
    regular = Points(load, _now_ms() - slots * STEP_MS)
    first, last = regular[: load.series], regular[-load.series :]
    shaped = fault.shape(regular[load.series : -load.series], random)
    with contextlib.ExitStack() as stack:
        stack.callback(place.heal)
        stack.enter_context(stream_topics(settings))
        fleet = stack.enter_context(Fleet(place.by_proxy(settings), logs, fault.module))
        for number in range(fault.workers):
            first_module = fault.first(random) if fault.first and number == 0 else None
            fleet.start(number, first_module, member=fault.members)
        _await_ready(settings, fault.workers, first, fleet)
        driver = Driver(settings, shaped, _rate(fault, load), fault.compression)
        epilogue = Driver(settings, last, load.rate)
        yield Stage(place, settings, fleet, driver, epilogue, load, logs, random, stack)


def _act(fault: Fault, stage: Stage) -> None:
    try:
        fault.act(stage)
    except Exception as error:
        # It is a fault that did not come off, whatever the clients of Kafka and Redis raise.
        raise BenchError(f"{fault.name} could not be committed: {error!r}") from error


def _rate(fault: Fault, load: Load) -> float:
    """Events a second: fewer where they must flow for longer than the fault lasts."""
    if not fault.lasts_s:
        return load.rate
    return min(load.rate, load.events / (FLOWING * fault.lasts_s))


def _await_ready(settings: Settings, workers: int, first: list[Point], fleet: Fleet) -> None:
    """Return when the group is complete and has answered the given points."""
    greeting = Driver(settings, first, None)
    greeting.start()
    greeting.join()
    await_members(settings, workers)
    deadline = time.monotonic() + READY_S
    with Ends(settings, Topics.of(settings.stream.name).forecasts) as ends:
        while ends.total() < len(first):
            if time.monotonic() > deadline:
                raise BenchError(f"no answers within {READY_S:g} s; see {fleet.log(0)}")
            time.sleep(LOOK_S)


async def _settled(settings: Settings, limit_s: float) -> bool:
    """Whether checkpoints come to the end of the events within the limit."""
    topic = Topics.of(settings.stream.name).events
    deadline = time.monotonic() + limit_s
    store = RedisStore(settings.redis, group_of(settings))
    with Ends(settings, topic) as ends:
        wanted = ends.total()
    try:
        while await _saved(store, settings) < wanted:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_S)
    finally:
        await store.close()
    return True


async def _saved(store: RedisStore, settings: Settings) -> int:
    """How many events are in checkpoints; -1 while Redis does not answer."""
    try:
        heads = [await store.head(place) for place in event_partitions(settings)]
    except TidecastError:
        return -1
    return sum(head.cursor or 0 for head in heads if head is not None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
