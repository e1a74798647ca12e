"""A long run near the highest load, a worker killed now and then, verified as it flows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from kafka.admin import ConfigResource, ConfigResourceType

from bench.faults.driver import Driver
from bench.faults.fleet import Fleet
from bench.faults.place import Place, open_place
from bench.faults.points import STEP_MS, Load, Points
from bench.faults.witness import Sight, Witness
from bench.group import await_members
from bench.machine import conditions
from bench.outputs import redis_bytes
from bench.processes import BenchError
from bench.report import Figure, Result
from bench.streams import event_partitions, fresh_name, stream_topics, topic_admin
from stream.app import group_of
from stream.watch.offsets import KafkaOffsets
from tidecast.errors import KafkaError
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import Settings, StreamSettings
from tidecast.topics import Topics

QUESTION: Final = "Does a worker keep its promise, and its size, for an hour of kills?"
KILLED, SPARED = 0, 1
"""One worker is killed every few minutes; the other one's memory is watched."""
SHARE: Final = 0.7
"""Of the highest load."""
SAMPLE_S: Final = 5.0
SAMPLES_A_LINE: Final = 12
WARM: Final = 1 / 6
"""Of the run: tables, pools and caches fill, and the spared worker has to hold all partitions."""
SETTLE_S: Final = 60.0
"""What has not been answered for so long, with nothing else to do, is lost."""
LEAD_S: Final = 60.0
"""By how much the events may be ahead of what is verified: long before the log forgets them. They
wait where the machine is too busy with other work, and the rate that is told is the one that was.
"""
LOOK_S: Final = 0.1
TRIAL_S: Final = 30.0
STEP_DOWN: Final = 0.8
STEPS: Final = 10
"""The last one is an eighth of the first."""
BEHIND_S: Final = 1.0
"""By how much the verified forecasts may be behind at the end of a trial."""
MIB: Final = 1024 * 1024
RETENTION: Final = {"retention.ms": "600000", "segment.bytes": str(64 * MIB)}
"""Ten minutes of log: what was verified may go, an hour of it would fill a disk."""


@dataclass(frozen=True)
class Soak:
    """How long, how often a worker is killed, and from where on the highest load is sought."""

    minutes: float = 60.0
    kill_every_s: float = 300.0
    first_rate: float = 48_000
    series: int = 4_000


class Sample(NamedTuple):
    """One look: seconds since the beginning, bytes of worker and Redis, commits, lag."""

    at_s: float
    worker_bytes: int
    redis_bytes: int
    committed: int
    waiting: int


class Scene(NamedTuple):
    """A stream with two workers and a witness that reads along."""

    place: Place
    settings: Settings
    fleet: Fleet
    witness: Witness


def measure(soak: Soak, folder: Path, say: Callable[[str], None]) -> Result:
    """Find the highest load, then run. Raises BenchError when it could not be run as it should."""
    found = conditions()
    with open_place() as place:
        highest = _highest(place, soak, folder)
        rate = SHARE * highest
        events = int(rate * 60 * soak.minutes)
        say(f"highest load {highest:,.0f}/s; {events:,} events follow at {rate:,.0f}/s")
        with _scene(place, folder) as scene:
            samples = _run(scene, soak, Load(events, soak.series), rate, say)
            seen = _await(scene.witness, events)
            figures = [
                Figure("highest_per_s", "highest load, forecasts per second", [highest]),
                Figure("events_per_s", "events per second", [events / samples[-1].at_s]),
                *_figures(seen, samples),
            ]
            checked = _checked(scene, seen, events)
    return Result(
        bench="soak",
        question=QUESTION,
        parameters={
            "minutes": soak.minutes,
            "workers": 2,
            "a kill every, s": soak.kill_every_s,
            "series": soak.series,
        },
        figures=figures,
        checked=checked,
        conditions=found,
    )


def _highest(place: Place, soak: Soak, folder: Path) -> float:
    """Events a second that driver, workers and witness keep up with: steps down until they do.

    Each step has two tries, lest a machine that was busy for a moment counts as the highest load.
    Raises BenchError when they keep up with none.
    """
    for step in range(STEPS):
        rate = soak.first_rate * STEP_DOWN**step
        if any(_keeps_up(place, rate, soak, folder) for _ in range(2)):
            return rate
    raise BenchError(f"behind at {rate:,.0f} events a second too; the workers' logs: {folder}")


def _keeps_up(place: Place, rate: float, soak: Soak, folder: Path) -> bool:
    with _scene(place, folder) as scene:
        scene.witness.look()
        events = int(rate * TRIAL_S)
        driver = Driver(scene.settings, _points(Load(events, soak.series)), rate)
        driver.start()
        driver.join()
        return events - scene.witness.look().answered < rate * BEHIND_S


def _run(
    scene: Scene, soak: Soak, load: Load, rate: float, say: Callable[[str], None]
) -> list[Sample]:
    """Publish at the rate; kill, and look every few seconds, until all is out."""
    driver = Driver(scene.settings, _points(load), rate)
    driver.start()
    samples: list[Sample] = []
    begun, next_kill = time.monotonic(), soak.kill_every_s
    answered, moved_s = 0, 0.0
    while driver.publishing:
        driver.held_at = int(answered + LEAD_S * rate)
        time.sleep(SAMPLE_S)
        seen = scene.witness.look()
        at_s = time.monotonic() - begun
        if at_s > next_kill:
            scene.fleet.kill(KILLED)
            next_kill += soak.kill_every_s
        if seen.answered > answered:
            answered, moved_s = seen.answered, at_s
        elif at_s - moved_s > SETTLE_S:
            raise BenchError(f"nothing was answered for {SETTLE_S:.0f} s; {answered:,} were before")
        samples.append(_sample(scene, seen, at_s))
        if len(samples) % SAMPLES_A_LINE == 0:
            say(_line(samples[-1], seen))
    driver.join()
    return samples


@contextlib.contextmanager
def _scene(place: Place, folder: Path) -> Iterator[Scene]:
    settings = place.settings(StreamSettings(name=fresh_name(), aggregate="sum"))
    with contextlib.ExitStack() as stack:
        stack.callback(place.heal)
        stack.enter_context(stream_topics(settings))
        _keep_ten_minutes(settings)
        fleet = stack.enter_context(Fleet(place.by_proxy(settings), folder))
        for number in (KILLED, SPARED):
            fleet.start(number)
        await_members(settings, 2)
        witness = Witness(settings)
        stack.callback(witness.stop)
        yield Scene(place, settings, fleet, witness)


def _sample(scene: Scene, seen: Sight, at_s: float) -> Sample:
    return Sample(
        at_s,
        scene.fleet.bytes.get(SPARED, 0),
        redis_bytes(scene.settings),
        asyncio.run(_committed(scene.settings)),
        seen.waiting,
    )


async def _committed(settings: Settings) -> int:
    """Committed offsets of all partitions together; 0 while Kafka does not answer."""
    offsets = KafkaOffsets(aiokafka_options(settings.kafka), group_of(settings))
    try:
        found = await offsets.of(event_partitions(settings))
    except KafkaError:
        return 0
    finally:
        await offsets.close()
    return sum(one.committed or 0 for one in found.values())


def _figures(seen: Sight, samples: list[Sample]) -> list[Figure]:
    worker_mib = samples[-1].worker_bytes / MIB
    return [
        Figure("longest_s", "longest wait for a forecast, s", [seen.longest_s], 1),
        Figure("worker_mib", "memory of the spared worker, MiB", [worker_mib]),
        Figure("worker_slope", "its slope, MiB an hour", [slope(samples, "worker_bytes")], 1),
        Figure("redis_slope", "slope of Redis, MiB an hour", [slope(samples, "redis_bytes")], 1),
        Figure("commit_pause_s", "longest time without a commit, s", [pause_s(samples)]),
    ]


def _checked(scene: Scene, seen: Sight, events: int) -> dict[str, int]:
    found = seen.found
    return {
        "events": events,
        "lost": events - seen.answered,
        "wrong": found["wrong"],
        "repeats on the topic": found["duplicates_raw"],
        "repeats read": found["duplicates_read"],
        "kills": scene.fleet.restarts,
    }


def slope(samples: list[Sample], field: str) -> float:
    """MiB an hour by which memory grows, by least squares, the run's first sixth left out."""
    later = [sample for sample in samples if sample.at_s > WARM * samples[-1].at_s]
    if len(later) < 2:
        raise BenchError("too short a run for a slope")
    hours = np.array([sample.at_s for sample in later]) / 3600
    mib = np.array([getattr(sample, field) for sample in later]) / MIB
    return float(np.polyfit(hours, mib, 1)[0])


def pause_s(samples: list[Sample]) -> float:
    """The longest time in which no commit came."""
    moved = [samples[0].at_s]
    for before, after in pairwise(samples):
        if after.committed > before.committed:
            moved.append(after.at_s)
    moved.append(samples[-1].at_s)
    return max(after - before for before, after in pairwise(moved))


def _points(load: Load) -> Points:
    begin_ms = time.time_ns() // 1_000_000 - load.events // load.series * STEP_MS
    return Points(load, begin_ms)


def _await(witness: Witness, events: int) -> Sight:
    """What was seen when so many events are answered, or nothing more comes."""
    seen, moved = witness.look(), time.monotonic()
    while seen.answered < events and time.monotonic() - moved < SETTLE_S:
        time.sleep(LOOK_S)
        before, seen = seen, witness.look()
        if seen.answered > before.answered:
            moved = time.monotonic()
    return seen


def _keep_ten_minutes(settings: Settings) -> None:
    topics = Topics.of(settings.stream.name)
    with topic_admin(settings) as admin:
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, topic, RETENTION)
                for topic in (topics.events, topics.forecasts)
            ]
        )


def _line(sample: Sample, seen: Sight) -> str:
    found = seen.found
    return (
        f"{sample.at_s / 60:.0f} min: {seen.answered:,} answered, {sample.waiting:,} wait, "
        f"wrong {found['wrong']}, repeats {found['duplicates_raw']:,}; worker "
        f"{sample.worker_bytes / MIB:.0f} MiB, Redis {sample.redis_bytes / MIB:.0f} MiB, "
        f"longest wait {seen.longest_s:.1f} s"
    )
