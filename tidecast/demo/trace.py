"""What the view shows of one series: its recent past, its newest forecast, how often it held."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tidecast.messages import Forecast, Timestamp, milliseconds

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

KEPT: Final = 512
"""Slots kept of each series: more than the widest terminal shows."""


class Band(NamedTuple):
    """A forecast's lowest, middle and highest quantile over the horizon, each [H]."""

    low: FloatArray
    median: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, forecast: Forecast) -> Band:
        """The band of a forecast; its middle is the level nearest to the median."""
        quantiles = np.array(forecast.quantiles, float)
        middle = int(np.abs(np.array(forecast.quantile_levels) - 0.5).argmin())
        return cls(quantiles[0], quantiles[middle], quantiles[-1])


class Picture(NamedTuple):
    """A series as drawn. values: [N], NaN where missing. outside: [N], left its band."""

    values: FloatArray
    outside: BoolArray
    band: Band | None
    status: str


class SeriesTrace:
    """Updated by observations and forecasts as they come; read through `picture`."""

    def __init__(self, step_seconds: int) -> None:
        self._step_ms = step_seconds * 1000
        self._values: deque[float] = deque(maxlen=KEPT)
        self._outside: deque[bool] = deque(maxlen=KEPT)
        self._newest = 0
        self._band: Band | None = None
        self._origin = 0
        self._status = ""
        self.judged = 0
        """Values that a forecast made before them could be held against."""
        self.inside = 0
        """How many of these lay in its band."""

    def observe(self, timestamp: Timestamp, value: float | None) -> None:
        """Append a value. Slots without one are missing; a late value changes nothing."""
        slot = milliseconds(timestamp) // self._step_ms
        if not self._values:
            self._newest = slot - 1
        gap = slot - self._newest - 1
        if gap < -1:
            return
        if gap == -1:
            self._values.pop()
            self._outside.pop()
        missing = min(max(gap, 0), KEPT)
        self._values.extend([np.nan] * missing)
        self._outside.extend([False] * missing)
        self._newest = slot
        self._values.append(np.nan if value is None else value)
        self._outside.append(value is not None and self._judge(slot, value))

    def forecast(self, forecast: Forecast) -> None:
        """Keep the newest forecast."""
        self._band = Band.of(forecast)
        self._origin = milliseconds(forecast.origin) // self._step_ms
        self._status = forecast.status.value

    def picture(self) -> Picture:
        """A copy that later updates do not change."""
        values, outside = np.array(self._values, float), np.array(self._outside, bool)
        return Picture(values, outside, self._band, self._status)

    def _judge(self, slot: int, value: float) -> bool:
        """Whether the value lies outside the band that was forecast for its slot."""
        lead = slot - self._origin
        if self._band is None or not 1 <= lead <= len(self._band.median):
            return False
        inside = self._band.low[lead - 1] <= value <= self._band.high[lead - 1]
        self.judged += 1
        self.inside += int(inside)
        return not inside
