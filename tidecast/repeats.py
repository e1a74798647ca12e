"""Recognising a forecast that was published before, in memory that does not grow.

A worker that is killed answers its last events again; a worker that was paused and has lost its
partition may still send what it held. The repeats carry the id they had at first, and the source
offset, so ids are kept in a ring: slot `offset mod N` of a partition holds the id last seen there.
A repeat is recognised for certain until N newer events of its partition have been answered. An
older one would be delivered twice: never is a forecast dropped that was not seen before, be it the
answer of another model or of a new epoch.

A stale forecast answers no record and has no offset of its own. The ids of the last ones are kept
beside the ring, in the order of their coming, so they disturb nothing there.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec
import numpy as np

from tidecast.messages import NO_OFFSET, Forecast, Source

REMEMBERED: Final = 1 << 20
"""Source offsets remembered for each partition and model: 8 MiB. At 50,000 events/s on one
partition this is 20 s, twice the time after which Kafka takes a silent worker's partitions."""

REMEMBERED_STALE: Final = 1 << 17
"""Stale forecasts remembered, of all partitions together: some 15 MiB when there are so many. A new
owner of a partition repeats those of one slot at most, so this many series may be quiet at once."""


PRIME: Final = 2**64 - 59
"""The largest below 2^64: every bit of an id counts."""


class ForecastIdentity(msgspec.Struct, frozen=True):
    """The few fields of a forecast that say whether it is a repeat; the rest is skipped."""

    forecast_id: str
    model: str
    model_version: str
    source: Source


class SeenForecasts:
    """The forecasts seen of late."""

    def __init__(
        self, remembered: int = REMEMBERED, remembered_stale: int = REMEMBERED_STALE
    ) -> None:
        self._remembered = remembered
        self._remembered_stale = remembered_stale
        self._rings: dict[tuple[int, str, str], memoryview] = {}
        self._stale: set[int] = set()
        self._stale_in_order: deque[int] = deque()

    def is_new(self, forecast: Forecast | ForecastIdentity) -> bool:
        """Whether this is the first sight of the forecast; from now on it is known.

        Compares the id modulo a prime: two ids of one slot agree by chance once in 2^64.
        Raises ValueError when the id is not hexadecimal.
        """
        source = forecast.source
        mark = int(forecast.forecast_id, 16) % PRIME or 1  # 0 stands for an empty slot
        if source.offset == NO_OFFSET:
            return self._is_new_stale(mark)
        stream = (source.partition, forecast.model, forecast.model_version)
        ring = self._rings.get(stream)
        if ring is None:
            ring = self._rings[stream] = np.zeros(self._remembered, np.uint64).data
        slot = source.offset % self._remembered
        if ring[slot] == mark:
            return False
        ring[slot] = mark
        return True

    def _is_new_stale(self, mark: int) -> bool:
        if mark in self._stale:
            return False
        self._stale.add(mark)
        self._stale_in_order.append(mark)
        if len(self._stale_in_order) > self._remembered_stale:
            self._stale.remove(self._stale_in_order.popleft())
        return True
