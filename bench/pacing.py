"""Publishing at a steady rate that waits for nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from bench.backlog import blocks_of, partitions_of
from bench.workload import observations
from stream.grid import AnyArray
from tidecast.bulk_publisher import BulkPublisher
from tidecast.messages import Observation
from tidecast.publisher import LINGER_MS, Publisher
from tidecast.settings import Settings

BULK_RATE: Final = 10_000
"""From so many events a second on they are published in bulk: one by one takes 50 µs an event,
so a `Publisher` alone would want a whole core of the machine that it shares."""
TICK_S: Final = LINGER_MS / 1000
"""How long events wait for company in bulk: as long as a `Publisher` waits."""


@dataclass(frozen=True)
class Pace:
    """Events per second over how many series; the first `warm_s` seconds are not counted.

    backlog: so many events of the workload are there, and answered, before.
    """

    rate: int
    seconds: int
    series: int
    warm_s: int
    backlog: int

    @property
    def publisher(self) -> type[Publisher | BulkPublisher]:
        """What a program would use at this rate."""
        return Publisher if self.rate < BULK_RATE else BulkPublisher

    @property
    def warm_events(self) -> int:
        """Events that are published and not counted."""
        return self.rate * self.warm_s

    @property
    def events(self) -> int:
        """All events."""
        return self.warm_events + self.rate * self.seconds

    def observations(self) -> Iterator[Observation]:
        """What is to be published, from the backlog on."""
        return islice(observations(self.backlog + self.events, self.series), self.backlog, None)

    def schedule(self, start_s: float) -> AnyArray:
        """When each event is to be published [events], on the clock of `time.monotonic`."""
        return start_s + np.arange(self.events) / self.rate


class Published(NamedTuple):
    """called_s: when each event's call was made [events]. busy: the publisher's share of a core."""

    called_s: AnyArray
    busy: float


Publish = Callable[[Settings, Pace, float], Published]
"""Publishes each event when it is due. The last argument is the start of the schedule. It is handed
to another process."""


def publish(settings: Settings, pace: Pace, start_s: float) -> Published:
    """Publish as a user of ours does, in bulk with those due within a tick where there are many."""
    busy_s = time.process_time()
    if pace.publisher is Publisher:
        called_s = _one_by_one(settings, pace, start_s)
    else:
        called_s = asyncio.run(_in_bulk(settings, pace, start_s))
    return Published(called_s, share_of_core(busy_s, start_s))


def share_of_core(busy_s: float, start_s: float) -> float:
    """What this process has used since `time.process_time()` was `busy_s`, the start of a load."""
    return (time.process_time() - busy_s) / (time.monotonic() - start_s)


def on_schedule(pace: Pace, start_s: float, send: Callable[[Observation], object]) -> AnyArray:
    """Send each event when it is due, and say when that was [events]."""
    called_s = np.empty(pace.events)
    schedule = pace.schedule(start_s).tolist()
    for number, observation in enumerate(pace.observations()):
        time.sleep(max(0.0, schedule[number] - time.monotonic()))
        called_s[number] = time.monotonic()
        send(observation)
    return called_s


def _one_by_one(settings: Settings, pace: Pace, start_s: float) -> AnyArray:
    """When each call was made [events]."""
    with Publisher(settings) as publisher:
        return on_schedule(pace, start_s, publisher.publish_observation)


async def _in_bulk(settings: Settings, pace: Pace, start_s: float) -> AnyArray:
    """When the call for each event was made [events]."""
    called_s, schedule = np.empty(pace.events), pace.schedule(start_s)
    stream, places = pace.observations(), partitions_of(settings, pace.series)
    done = 0
    async with BulkPublisher(settings) as publisher:
        while done < pace.events:
            await asyncio.sleep(max(0.0, float(schedule[done]) + TICK_S - time.monotonic()))
            now_s = time.monotonic()
            due = int(np.searchsorted(schedule, now_s, side="right"))
            called_s[done:due] = now_s
            await publisher.send(blocks_of(islice(stream, due - done), places))
            done = due
    return called_s
