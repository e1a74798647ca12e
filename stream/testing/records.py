"""Records of the events topic, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from stream.records import LoggedRecord
from tidecast.messages import Observation, encode_observation

NOW_MS: Final = 1_900_000_000_000
"""The Kafka timestamp of hand-made records unless said otherwise: 2030-03-17."""


def record(
    offset: int,
    series_id: str,
    timestamp: datetime | int,
    values: Mapping[str, float | None] | float | None,
    now_ms: int = NOW_MS,
    event_id: str | None = None,
) -> LoggedRecord:
    """A record as a `Publisher` would send it; a bare number is the channel `value`."""
    channels = dict(values) if isinstance(values, Mapping) else {"value": values}
    observation = Observation(series_id, timestamp, channels, event_id=event_id)
    return LoggedRecord(offset, now_ms, series_id.encode(), encode_observation(observation))
