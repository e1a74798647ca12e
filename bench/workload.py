"""The load of the benches: observations of many series, a slot of all of them, then the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from stream.grid import FloatArray
from tidecast.messages import Observation

CHANNEL: Final = "value"
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
SEED: Final = 7


def series_ids(count: int) -> list[str]:
    """Ids as sensors have them."""
    return [f"plant-{number // 100}/sensor-{number:06}" for number in range(count)]


def observations(events: int, series: int) -> Iterator[Observation]:
    """Event n is series n mod `series`, n div `series` seconds after BEGIN."""
    ids = series_ids(series)
    for slot in range(-(-events // series)):
        moment = BEGIN + timedelta(seconds=slot)
        values = values_at(slot, series).tolist()
        for number in range(min(series, events - slot * series)):
            yield Observation(ids[number], moment, {CHANNEL: values[number]})


def values_at(slot: int, series: int) -> FloatArray:
    """The values of all series in a slot [series]: each its own level, a wave, and noise."""
    level = 10 + np.arange(series) % 90
    wave = np.sin(2 * np.pi * (slot / 96 + np.arange(series) / series))
    noise = np.random.default_rng([SEED, slot]).normal(scale=0.1, size=series)
    return np.round(level * (1 + 0.2 * (wave + noise)), 3)
