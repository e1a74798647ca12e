"""When the answer to each event of a steady load came, noted by a reader in a process of its own.

Answers name their series and the moment of the event that they answer, whoever made them: so one
reader serves every system. Our own can be read by the product's `Subscriber` too.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import msgspec
import numpy as np

from bench import c_client
from bench.pacing import Pace, share_of_core
from bench.workload import BEGIN, series_ids
from stream.grid import AnyArray
from tidecast.settings import Settings
from tidecast.subscriber import Subscriber

LAST_ANSWER_S: Final = 10.0
"""An answer counts as lost when all events are due and none has come for so long."""
LATE_S: Final = 60.0
"""A system with events left so long after all are due cannot keep up with them."""
POLL_S: Final = 0.1


class Received(NamedTuple):
    """times_s: when each event's answer came [events], NaN for none. repeats: those not the first.

    busy: the reader's share of a core.
    """

    times_s: AnyArray
    repeats: int
    busy: float


Reader = Callable[[Settings, str, Pace, float], Received]
"""Takes the answers on a topic as they come, until all are there or no more come.

The last argument is the start of the schedule. It is handed to another process.
"""


class Answer(Protocol):
    """What names the event that is answered."""

    @property
    def series_id(self) -> str:
        """Whose the event is."""

    @property
    def origin(self) -> datetime:
        """When it was measured."""


class AnyForecast(msgspec.Struct, frozen=True):
    """What our forecasts and those of the peers have in common; the decoder skips the rest."""

    series_id: str
    origin: datetime


class AnyEvent(msgspec.Struct, frozen=True):
    """An event as the answer to itself."""

    series_id: str
    origin: datetime = msgspec.field(name="timestamp")


class Arrivals:
    """When the answers to the events of a load came, by the number of the event."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._number_of = {name: number for number, name in enumerate(series_ids(pace.series))}
        self.times_s = np.full(pace.events, np.nan)
        self.missing = pace.events
        self.repeats = 0

    def note(self, answer: Answer, now_s: float) -> None:
        """An answer has come. Those to the backlog, before the schedule, are passed over."""
        slot = (answer.origin - BEGIN) // timedelta(seconds=1)
        number = slot * self._pace.series + self._number_of[answer.series_id]
        event = number - self._pace.backlog
        if event < 0:
            return
        if np.isnan(self.times_s[event]):
            self.times_s[event] = now_s
            self.missing -= 1
        else:
            self.repeats += 1


def by_subscriber(settings: Settings, _: str, pace: Pace, start_s: float) -> Received:
    """Read our own forecasts as a user does: a `Subscriber` knows the topic."""
    # From the start of the log: a reader that is up late then shows as late, not as lost.
    with Subscriber(settings, start="earliest") as subscriber:
        received = _receive(lambda: subscriber.poll(POLL_S), pace, start_s)
        return received._replace(repeats=received.repeats + subscriber.repeats)


def by_c_client(settings: Settings, topic: str, pace: Pace, start_s: float) -> Received:
    """Read anybody's forecasts."""
    return _read(settings, topic, msgspec.json.Decoder(AnyForecast).decode, pace, start_s)


def events_by_c_client(settings: Settings, topic: str, pace: Pace, start_s: float) -> Received:
    """Read the events themselves in the same way."""
    return _read(settings, topic, msgspec.json.Decoder(AnyEvent).decode, pace, start_s)


def _read(
    settings: Settings, topic: str, decode: Callable[[bytes], Answer], pace: Pace, start_s: float
) -> Received:
    with c_client.messages(settings, topic) as poll:
        return _receive(lambda: [decode(value) for value in poll(POLL_S)], pace, start_s)


def _receive(poll: Callable[[], Iterable[Answer]], pace: Pace, start_s: float) -> Received:
    """What polls bring: an answer has come when the poll that brings it returns."""
    arrivals = Arrivals(pace)
    # As docs/client.md advises: searches for garbage need not go through all that was imported.
    gc.freeze()
    # A reader that is up after the last event was due is to find the answers that are there.
    due_s = max(start_s + pace.events / pace.rate, time.monotonic())
    limit_s = due_s + LAST_ANSWER_S
    busy_s = time.process_time()
    while arrivals.missing and time.monotonic() < limit_s:
        found = poll()
        now_s = time.monotonic()
        for answer in found:
            arrivals.note(answer, now_s)
            limit_s = min(max(due_s, now_s) + LAST_ANSWER_S, due_s + LATE_S)
    return Received(arrivals.times_s, arrivals.repeats, share_of_core(busy_s, start_s))
