"""Where the demo's observations come from: this machine, or a file replayed at a pace."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol

from tidecast.demo.machine import Machine
from tidecast.errors import DataError
from tidecast.files import FileOptions, ObservationTable, read_observations
from tidecast.messages import Observation

Wait = Callable[[float], bool]
"""Sleeps for so many seconds. True, at once, when the demo is to end."""

STEP_SAMPLE: Final = 10_000
"""So many of a file's times are enough to see its step."""


class Feed(Protocol):
    """A source of observations. units: by series id, as far as they are known."""

    step_seconds: int
    units: Mapping[str, str]
    title: str

    def batches(self, wait: Wait) -> Iterator[Sequence[Observation]]:
        """Batches of observations, each when it falls due."""
        ...


class LiveFeed:
    """The metrics of this machine at every full second."""

    step_seconds = 1
    title = "this machine, once a second"

    def __init__(self, channel: str, clock: Callable[[], float] = time.time) -> None:
        self._machine = Machine()
        self._channel = channel
        self._clock = clock
        self.units: Mapping[str, str] = self._machine.units

    def batches(self, wait: Wait) -> Iterator[Sequence[Observation]]:
        """See Feed. Never ends by itself."""
        # On the full second, so that each reading falls into a slot of its own.
        while not wait(1 - self._clock() % 1):
            now = datetime.fromtimestamp(self._clock(), UTC)
            readings = self._machine.read()
            yield [Observation(name, now, {self._channel: readings[name]}) for name in self.units]


class FileFeed:
    """A file's observations with their own times, `speed` times as fast as they were recorded."""

    def __init__(self, path: Path, channel: str, speed: float | None) -> None:
        """Read and check the file. speed: one step a second when None.

        Raises DataError when the file is unfit, or the speed.
        """
        if speed is not None and speed <= 0:
            raise DataError(f"the speed must be above 0, not {speed:g}")
        self._table = read_observations(path, FileOptions(assume_utc=True, channel=channel))
        if self._table.channels != [channel]:
            found = ", ".join(self._table.channels)
            raise DataError(f"{path} has the channels {found}; the model takes {channel!r} alone")
        self.step_seconds = step_of(self._table.times.to_list()[:STEP_SAMPLE])
        self._speed = speed or self.step_seconds
        self.units: Mapping[str, str] = dict.fromkeys(self._table.series, "")
        self.title = f"{path.name}, {self._speed:g} times its pace"

    def batches(self, wait: Wait) -> Iterator[Sequence[Observation]]:
        """See Feed. Ends with the file. All that is due goes together, so it never falls behind."""
        times, begun, row = self._table.times, time.monotonic(), 0
        while row < len(times):
            ahead_s = (times[row] - times[0]) / 1000 / self._speed
            if wait(max(0.0, begun + ahead_s - time.monotonic())):
                return
            due_ms = times[0] + (time.monotonic() - begun) * 1000 * self._speed
            stop = max(row + 1, int(times.search_sorted(due_ms, side="right")))
            yield _observations(self._table, row, stop)
            row = stop


def step_of(times_ms: Sequence[int]) -> int:
    """The step of a file in whole seconds: the commonest distance of its times, in order.

    Raises DataError when there are not two different times.
    """
    distances = Counter(after - before for before, after in pairwise(times_ms) if after > before)
    if not distances:
        raise DataError("the file needs two different times, or it has no step")
    return max(1, round(distances.most_common(1)[0][0] / 1000))


def _observations(table: ObservationTable, start: int, stop: int) -> list[Observation]:
    [channel] = table.channels
    return [
        Observation(table.series[series], timestamp_ms, {channel: value})
        for series, timestamp_ms, value in table.events_of(start, stop).iter_rows()
    ]
