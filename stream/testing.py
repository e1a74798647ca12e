"""Fakes for tests of streams, ours and our users': no server, no model file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import numpy as np

from stream.grid import FloatArray, IntArray
from stream.predictor import Prediction
from stream.records import LoggedRecord
from tidecast.bundle import Channel, Manifest
from tidecast.messages import Observation, encode_observation

NOW_MS: Final = 1_900_000_000_000
"""The Kafka timestamp of hand-made records unless said otherwise: 2030-03-17."""


class CountingPredictor:
    """A model whose answers can be worked out by hand.

    state[0] counts the slots consumed, state[1] sums their values (missing counts as 0). Every
    level and lead of the forecast is the last value plus the sum so far.
    """

    def __init__(
        self, context: int = 8, horizon: int = 3, channels: tuple[str, ...] = ("value",)
    ) -> None:
        self.manifest = Manifest(
            name="counting",
            version="1",
            task="forecast",
            graph_sha256=hashlib.sha256(b"counting").hexdigest(),
            graph_bytes=1,
            opset=18,
            step_seconds=None,
            context=context,
            horizon=horizon,
            channels=tuple(Channel(name) for name in channels),
            target=channels[0],
            quantile_levels=(0.1, 0.5, 0.9),
            state_size=2,
            created="2026-01-01T00:00:00Z",
            data_sha256="",
            data_licence="",
            training={},
            figures={},
            tools={},
        )

    def predict(self, windows: FloatArray, origins: IntArray, states: FloatArray) -> Prediction:
        """See Predictor."""
        newest = np.nan_to_num(windows[:, -1, 0])
        next_state = states + np.stack([np.ones_like(newest), newest], axis=1)
        answer = newest + next_state[:, 1]
        shape = (len(origins), self.manifest.horizon, len(self.manifest.quantile_levels))
        return Prediction(np.broadcast_to(answer[:, None, None], shape).copy(), next_state)


def record(
    offset: int,
    series_id: str,
    timestamp: datetime | int,
    values: Mapping[str, float | None] | float | None,
    now_ms: int = NOW_MS,
) -> LoggedRecord:
    """A record as a `Publisher` would send it; a bare number is the channel `value`."""
    channels = dict(values) if isinstance(values, Mapping) else {"value": values}
    observation = Observation(series_id, timestamp, channels)
    return LoggedRecord(offset, now_ms, series_id.encode(), encode_observation(observation))
