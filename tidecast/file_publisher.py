"""Replaying a table of observations into the stream, at any multiple of its recorded pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tidecast.blocks import BlockWriter
from tidecast.bulk_publisher import BulkPublisher
from tidecast.errors import DataError
from tidecast.files import FileOptions, ObservationTable, read_observations
from tidecast.settings import Settings

EVENTS_AT_ONCE: Final = 50_000
"""Observations sent in one go: about a second's worth at full speed would jerk, this does not."""
TICK_S: Final = 0.01
"""A paced replay sends what has fallen due this often."""

Progress = Callable[[int], None]
"""Told how many observations have been delivered so far."""


class Published(msgspec.Struct, frozen=True):
    """What a replay did."""

    events: int
    series: int
    seconds: float

    @property
    def events_per_s(self) -> float:
        """Acknowledged observations per second."""
        return self.events / self.seconds if self.seconds else 0.0


def publish_file(
    settings: Settings,
    path: Path,
    options: FileOptions | None = None,
    *,
    speed: float | None = None,
    progress: Callable[[ObservationTable], Progress] = lambda _: lambda _: None,
) -> Published:
    """Read, check and publish a file; see `publish_table`. progress: called with the table read.

    Raises DataError, KafkaError or SettingsError.
    """
    table = read_observations(path, options)

    async def run() -> Published:
        async with BulkPublisher(settings) as publisher:
            return await publish_table(publisher, table, speed=speed, progress=progress(table))

    return asyncio.run(run())


async def publish_table(
    publisher: BulkPublisher,
    table: ObservationTable,
    *,
    speed: float | None = None,
    progress: Progress = lambda _: None,
) -> Published:
    """Publish a whole table in order of time and wait for its delivery.

    speed: 1 as recorded, 60 a recorded minute per second, None as fast as possible.
    """
    writer = BlockWriter(table, publisher.partitions)
    rows, height = 0, len(table.times)
    most = max(1, EVENTS_AT_ONCE * height // max(1, table.events))
    clock = None if speed is None else _Clock(table, speed)
    before, begun = publisher.delivered, time.monotonic()
    while rows < height:
        due = height if clock is None else await clock.wait_due(rows)
        stop = min(due, rows + most)
        await publisher.send(writer.blocks(rows, stop))
        rows = stop
        progress(publisher.delivered - before)
    await publisher.flush()
    delivered = publisher.delivered - before
    progress(delivered)
    return Published(delivered, len(table.series), time.monotonic() - begun)


class _Clock:
    """Recorded time running at `speed` since the start of the replay."""

    def __init__(self, table: ObservationTable, speed: float) -> None:
        if speed <= 0:
            raise DataError(f"the speed must be above 0, not {speed:g}")
        self._times = table.times
        self._first_ms = int(table.times[0])
        self._per_ms = speed
        self._begun = time.monotonic()

    async def wait_due(self, row: int) -> int:
        """Wait until `row` falls due; return the number of rows that are due by then."""
        due_s = (int(self._times[row]) - self._first_ms) / self._per_ms / 1000
        elapsed_s = time.monotonic() - self._begun
        if due_s > elapsed_s:
            await asyncio.sleep(max(TICK_S, due_s - elapsed_s))
        elapsed_ms = (time.monotonic() - self._begun) * 1000
        now_ms = self._first_ms + elapsed_ms * self._per_ms
        return int(self._times.search_sorted(int(now_ms), side="right"))
