"""Input that is bad, large, early, late, double, out of order, or too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Final

from aiokafka import AIOKafkaProducer

from bench.faults.fault import Fault, Stage
from bench.faults.points import Point, Shape, as_they_are
from bench.workload import CHANNEL
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import Settings
from tidecast.topics import Topics

POISONED: Final = 0.1
OVERSIZE: Final = 0.001
OVERSIZE_BYTES: Final = 100 * 1024
"""More than an observation may have; a thousandth of 100,000 events is then ten megabytes."""
SHARE: Final = 0.2
DISPLACED: Final = 2_000
"""How far an event may come out of its order: a few slots of all series."""
JUMPING: Final = 0.01
AHEAD_MS: Final = 2 * 3600 * 1000
BACK_MS: Final = 30 * 86_400 * 1000
FLOOD_FACTOR: Final = 10
QUOTA: Final = 2_000
"""New series a second and partition: more than the regular ones that begin at once."""
BOMB_BYTES: Final = 128 * 2**20
CODECS: Final = ("gzip", "lz4", "snappy", "zstd")


def poison(regular: Sequence[Point], random: Random) -> list[Point]:
    """A tenth of the events cannot be used, each for one of many reasons."""
    return [
        point._replace(raw=random.choice(POISONS)(point)) if random.random() < POISONED else point
        for point in regular
    ]


POISONS: Final[tuple[Callable[[Point], bytes], ...]] = (
    lambda _: b"",
    lambda _: b"\xff\xfe not JSON",
    lambda point: point.encode()[:-1],
    lambda point: point.encode().replace(b"plant", b"plan7"),
    lambda point: point._replace(value=float("1e300")).encode(),
    lambda point: _altered(point, timestamp="yesterday"),
    lambda point: _altered(point, values={"pressure": 1.0}),
    lambda point: _altered(point, values={}),
    lambda point: _altered(point, values={CHANNEL: "7"}),
    lambda point: _altered(point, extra=True),
)


def _altered(point: Point, **fields: object) -> bytes:
    """The observation with other fields."""
    return json.dumps(json.loads(point.encode()) | fields).encode()


def oversize(regular: Sequence[Point], random: Random) -> list[Point]:
    """Some events are longer than an observation may be."""
    return [
        point._replace(raw=point.encode().ljust(OVERSIZE_BYTES))
        if random.random() < OVERSIZE
        else point
        for point in regular
    ]


def duplicate(regular: Sequence[Point], random: Random) -> list[Point]:
    """A fifth of the events come twice."""
    return [
        one
        for point in regular
        for one in ((point, point) if random.random() < SHARE else (point,))
    ]


def disorder(regular: Sequence[Point], random: Random) -> list[Point]:
    """A fifth of the events come later than their neighbours."""
    places = [
        number + (random.uniform(0, DISPLACED) if random.random() < SHARE else 0)
        for number in range(len(regular))
    ]
    return [point for _, point in sorted(zip(places, regular, strict=True), key=lambda one: one[0])]


def jump(by_ms: int, regular: Sequence[Point], random: Random) -> list[Point]:
    """Some events carry a time that is off by so much."""
    return [
        point._replace(time_ms=point.time_ms + by_ms) if random.random() < JUMPING else point
        for point in regular
    ]


def flood(regular: Sequence[Point], _: Random) -> list[Point]:
    """Ten times as many new series as there are events, in the midst of them."""
    middle = len(regular) // 2
    return [*regular[:middle], *_strangers(regular), *regular[middle:]]


def _strangers(regular: Sequence[Point]) -> Iterator[Point]:
    moment_ms = regular[len(regular) // 2].time_ms
    for number in range(len(regular) * FLOOD_FACTOR):
        yield Point(f"stranger-{number:07}", moment_ms, float(number % 1000))


def drop_bomb(stage: Stage) -> None:
    """A batch of some kilobytes that expands beyond what a worker takes."""
    asyncio.run(
        _send_bomb(stage.settings, stage.random.randrange(stage.settings.stream.partitions))
    )


async def _send_bomb(settings: Settings, partition: int) -> None:
    producer = AIOKafkaProducer(
        **aiokafka_options(settings.kafka),
        compression_type="gzip",
        max_batch_size=2 * BOMB_BYTES,
        max_request_size=2 * BOMB_BYTES,
    )
    await producer.start()
    try:
        topic = Topics.of(settings.stream.name).events
        await producer.send_and_wait(topic, bytes(BOMB_BYTES), key=b"bomb", partition=partition)
    finally:
        await producer.stop()


def _input(name: str, about: str, shape: Shape, **stream: int) -> Fault:
    return Fault(name=f"input-{name}", group="input", about=about, shape=shape, stream=stream)


INPUT_FAULTS: Final = (
    _input("poison", "10 % of the events cannot be used", poison),
    _input("oversize", f"{OVERSIZE:.1%} of the events have 100 KiB", oversize),
    *(
        Fault(
            name=f"input-{codec}",
            group="input",
            about=f"compressed with {codec}",
            shape=as_they_are,
            compression=codec,
        )
        for codec in CODECS
    ),
    Fault(
        name="input-gzip-bomb",
        group="input",
        about=f"a gzip batch that expands to {BOMB_BYTES / 2**20:.0f} MiB",
        act=drop_bomb,
    ),
    _input(
        "new-series",
        "ten new series for every event, from one publisher, against a quota",
        flood,
        new_series_per_s=QUOTA,
    ),
    _input("ahead", "event time jumps 2 h ahead in 1 % of the events", partial(jump, AHEAD_MS)),
    _input("back", "event time jumps 30 days back in 1 % of the events", partial(jump, -BACK_MS)),
    _input("duplicates", "20 % of the events come twice", duplicate),
    _input("disorder", "20 % of the events come out of order", disorder, grace_slots=4),
)
