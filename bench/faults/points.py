"""What is published: points whose values say which series and which of its points they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple, overload

from bench.workload import CHANNEL
from tidecast.messages import Observation, encode_observation

SEQUENCES: Final = 1024
SERIES: Final = 4096
"""Values stay below SERIES * SEQUENCES = 2^22, so that four of them in one slot still add up
exactly in a 32-bit float."""
STEP_MS: Final = 1000


class Point(NamedTuple):
    """One event. raw: bytes that are published as they are, in place of the observation."""

    series_id: str
    time_ms: int
    value: float
    raw: bytes | None = None

    def encode(self) -> bytes:
        """The value of the Kafka record."""
        if self.raw is not None:
            return self.raw
        observation = Observation(self.series_id, self.time_ms, {CHANNEL: self.value})
        return encode_observation(observation)


Shape = Callable[[Sequence[Point], Random], list[Point]]
"""Makes an input worse: regular points in, other points out, decided by the seed alone."""


@dataclass(frozen=True)
class Load:
    """How much is published: events in all, over how many series, how many a second.

    So many series that a checkpoint does not hold all of them: rows of different ages can meet.
    """

    events: int = 100_000
    series: int = 4_000
    rate: int = 16_000


class Points(Sequence[Point]):
    """Slot after slot of all series; the first slot of each begins at `begin_ms`.

    Made when they are asked for: an hour of them would not fit in memory.
    """

    def __init__(self, load: Load, begin_ms: int) -> None:
        self._load = load
        self._begin_ms = begin_ms

    def __len__(self) -> int:
        return self._load.events

    @overload
    def __getitem__(self, at: int) -> Point: ...
    @overload
    def __getitem__(self, at: slice) -> list[Point]: ...
    def __getitem__(self, at: int | slice) -> Point | list[Point]:
        numbers = range(len(self))[at]
        return self._at(numbers) if isinstance(numbers, int) else [self._at(n) for n in numbers]

    def _at(self, number: int) -> Point:
        sequence, series = divmod(number, self._load.series)
        time_ms = self._begin_ms + sequence * STEP_MS
        return Point(series_name(series), time_ms, value_of(series, sequence))


def series_name(series: int) -> str:
    """An id as sensors have it."""
    return f"plant-{series // 100}/sensor-{series:06}"


def value_of(series: int, sequence: int) -> float:
    """The value that says which point it is."""
    return float(series % SERIES * SEQUENCES + sequence % SEQUENCES)


def as_they_are(regular: Sequence[Point], _: Random) -> list[Point]:
    """No change."""
    return list(regular)
