"""Regression: quantiles of one number, measured elsewhere, for the window or for some slots on."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
import torch
from msgspec import Meta
from torch import Tensor

from tidecast.bundle import Level, Text
from training.data.waves import Floats
from training.features.front import Features
from training.features.window import SMALLEST
from training.tasks.band import Band
from training.tasks.head import QuantileHead


class RegressionTask(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="regression"
):
    """The label `target` of the slot `lead` after the window's newest one; 0 is that slot."""

    target: Text
    lead: Annotated[int, Meta(ge=0)] = 0
    quantile_levels: tuple[Level, ...] = (0.1, 0.5, 0.9)

    def __post_init__(self) -> None:
        """Raise ValueError on levels that the head cannot build."""
        levels = self.quantile_levels
        if 0.5 not in levels or list(levels) != sorted(set(levels)):
            raise ValueError(f"quantile_levels must rise and hold 0.5: {levels}")


class RegressionHead(QuantileHead):
    """A median and gaps around it, scaled by what the label was in training."""

    def __init__(self, task: RegressionTask, centre: float, spread: float) -> None:
        """centre, spread: mean and mean absolute deviation of the label in the training part."""
        super().__init__()
        self.band = Band(task.quantile_levels, 1)
        self.size = self.width = len(task.quantile_levels)
        self.register_buffer("levels", torch.tensor(task.quantile_levels))
        self.register_buffer("centre", torch.tensor(centre))
        self.register_buffer("spread", torch.tensor(max(spread, SMALLEST)))
        self.levels: Tensor
        self.centre: Tensor
        self.spread: Tensor

    def forward(self, raw: Tensor, features: Features) -> Tensor:
        """See `Head.forward`: [B, 1, levels]."""
        del features  # What the window's level was says nothing of another quantity's.
        return self.centre + self._quantiles(raw) * self.spread

    def scored(self, raw: Tensor, features: Features, targets: Tensor) -> tuple[Tensor, Tensor]:
        """See `QuantileHead.scored`. targets: [B] in the label's units."""
        del features
        return self._quantiles(raw), ((targets - self.centre) / self.spread)[:, None]

    def unit(self, window: Floats) -> Floats:
        """See `Head.unit`: the label's own deviation."""
        return np.full(len(window), self.spread.item(), np.float32)

    def _quantiles(self, raw: Tensor) -> Tensor:
        quantiles: Tensor = self.band(raw[:, :1], raw[:, 1:])
        return quantiles
