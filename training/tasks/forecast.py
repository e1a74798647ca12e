"""Forecasting: quantiles of one channel for every slot of the horizon."""

from __future__ import annotations

from typing import Final

import msgspec
import torch
from torch import Tensor

from tidecast.bundle import Level, Positive, Text
from training.data.waves import Floats
from training.features.front import Features
from training.features.window import LARGEST, SMALLEST, span
from training.tasks.band import Band
from training.tasks.head import QuantileHead

BEYOND: Final = 100 * LARGEST
"""Answers are cut off here: float32 ends at 3.4e38."""


class ForecastTask(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="forecast"
):
    """The next `horizon` slots of the channel `target`."""

    target: Text = "value"
    horizon: Positive = 24
    quantile_levels: tuple[Level, ...] = (0.1, 0.5, 0.9)
    """Must hold 0.5: the other levels are built outwards from the median."""

    def __post_init__(self) -> None:
        """Raise ValueError on levels that the head cannot build."""
        levels = self.quantile_levels
        if 0.5 not in levels or list(levels) != sorted(set(levels)):
            raise ValueError(f"quantile_levels must rise and hold 0.5: {levels}")


class ForecastHead(QuantileHead):
    """A median for each slot ahead, and gaps to the other levels, in the target's units."""

    def __init__(self, task: ForecastTask, channel: int) -> None:
        """channel: the target's place among the channels."""
        super().__init__()
        self.horizon = task.horizon
        self.channel = channel
        self.band = Band(task.quantile_levels, task.horizon)
        self.size = task.horizon * len(task.quantile_levels)
        self.width = len(task.quantile_levels)
        self.register_buffer("levels", torch.tensor(task.quantile_levels))
        self.levels: Tensor

    def forward(self, raw: Tensor, features: Features) -> Tensor:
        """See `Head.forward`: [B, horizon, levels]."""
        centre, spread = self._units(features)
        return (centre + self._quantiles(raw) * spread).clamp(-BEYOND, BEYOND)

    def scored(self, raw: Tensor, features: Features, targets: Tensor) -> tuple[Tensor, Tensor]:
        """See `QuantileHead.scored`. targets: [B, horizon] in the target's units."""
        centre, spread = self._units(features)
        scaled = (targets - centre[..., 0]) / spread[..., 0].clamp(min=SMALLEST)
        return self._quantiles(raw), scaled

    def unit(self, window: Floats) -> Floats:
        """See `Head.unit`: the range of the target's values in the window."""
        return span(window[..., self.channel])

    def _quantiles(self, raw: Tensor) -> Tensor:
        """Without units, never crossing: [B, horizon, levels]."""
        quantiles: Tensor = self.band(raw[:, : self.horizon], raw[:, self.horizon :])
        return quantiles

    def _units(self, features: Features) -> tuple[Tensor, Tensor]:
        """Centre and spread of the target, each [B, 1, 1]."""
        place = slice(self.channel, self.channel + 1)
        return features.centre[:, place, None], features.spread[:, place, None]
