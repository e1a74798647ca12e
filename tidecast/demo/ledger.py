"""Which observation was answered, and how soon: each is matched to its own forecast by place."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from tidecast.publisher import Place

RECENT: Final = 2000
"""Latencies behind the running p50 and p99."""


class Ledger:
    """Observations published, forecasts and rejections received, in whatever order they come.

    A forecast may be here before Kafka's receipt for its observation. Memory grows by the 8 bytes
    of a latency an observation; places are kept only while they wait for the other side.
    """

    def __init__(self) -> None:
        self.published = 0
        self.answered = 0
        self.rejected = 0
        self._waiting: dict[Place, float] = {}
        self._early: dict[Place, float | None] = {}
        self._repeats = 0
        self._latencies_ms = array("d")
        self._measured_from_s = -math.inf

    @property
    def open(self) -> int:
        """Observations with neither forecast nor rejection: lost, when nothing more comes."""
        return len(self._waiting)

    @property
    def duplicates(self) -> int:
        """Forecasts for an observation already answered, or for none of ours."""
        return self._repeats + sum(arrived_s is not None for arrived_s in self._early.values())

    def publish(self, place: Place, called_s: float) -> None:
        """Kafka has stored an observation at `place`; it was handed to us at `called_s`."""
        self.published += 1
        if place not in self._early:
            self._waiting[place] = called_s
            return
        arrived_s = self._early.pop(place)
        if arrived_s is not None:
            self._answer(called_s, arrived_s)

    def answer(self, place: Place, arrived_s: float) -> None:
        """The forecast for the observation at `place` is in hand."""
        if place in self._waiting:
            self._answer(self._waiting.pop(place), arrived_s)
        elif place in self._early:
            self._repeats += 1
        else:
            self._early[place] = arrived_s

    def reject(self, place: Place) -> None:
        """The worker has rejected the observation at `place`."""
        self.rejected += 1
        if self._waiting.pop(place, None) is None:
            self._early[place] = None

    def measure_from(self, start_s: float) -> None:
        """Only what is published from now on has a latency: the first waited for the worker."""
        self._measured_from_s = start_s

    def latency_ms(self, percent: float, recent: int | None = None) -> float | None:
        """A percentile of the times from publish call to forecast in hand; None without any.

        To the hundredth. recent: of the last so many only.
        """
        latencies = self._latencies_ms[-recent:] if recent else self._latencies_ms
        return round(float(np.percentile(latencies, percent)), 2) if latencies else None

    def _answer(self, called_s: float, arrived_s: float) -> None:
        self.answered += 1
        if called_s >= self._measured_from_s:
            self._latencies_ms.append((arrived_s - called_s) * 1000)


class Pace:
    """How many of something come per second, over the last few seconds.

    Measured from change to change, since what comes in bursts would else seem to come and go.
    """

    def __init__(self, clock: Callable[[], float], span_s: float = 10.0) -> None:
        self._clock = clock
        self._span_s = span_s
        self._changes: deque[tuple[float, int]] = deque()

    def update(self, total: int) -> float:
        """Take note of the total so far; the pace between the changes within the span."""
        now_s, changes = self._clock(), self._changes
        while len(changes) > 1 and now_s - changes[0][0] > self._span_s:
            changes.popleft()
        if not changes or total != changes[-1][1]:
            changes.append((now_s, total))
        (since_s, before), (until_s, after) = changes[0], changes[-1]
        return (after - before) / (until_s - since_s) if until_s > since_s else 0.0
