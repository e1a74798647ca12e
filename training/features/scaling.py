"""From a series' units to numbers that a net likes, and back: two ways, both in the graph.

`window`: each window by its own level and spread, so that one model serves any series. `global`:
by the mean and deviation of the training rows, where the level itself says something.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from training.features.window import LARGEST, SMALLEST, normalise

BOUND: Final = 8.0
"""What is further off than so many spreads is cut off."""


class Scaled(NamedTuple):
    """values: [B, context, channels] without units, missing ones filled. known: the same shape, 1
    where there was a value. centre, spread: [B, channels], which bring answers back to units.
    """

    values: Tensor
    known: Tensor
    centre: Tensor
    spread: Tensor


class WindowScaling(nn.Module):
    """By the window's own mean and mean absolute deviation, channel by channel."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.context = context

    def forward(self, window: Tensor) -> Scaled:
        """window: [B, context, channels], NaN = missing."""
        view = normalise(window.transpose(1, 2), self.context)
        values = view.shape.clamp(-BOUND, BOUND).transpose(1, 2)
        known = (~torch.isnan(window)).float()
        return Scaled(values, known, view.centre[..., 0], view.spread[..., 0])


class GlobalScaling(nn.Module):
    """By the mean and deviation of what it was fitted on; a missing value is an average one."""

    def __init__(self, centre: Tensor, spread: Tensor) -> None:
        """centre, spread: [channels]."""
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("spread", spread.clamp(min=SMALLEST))
        self.centre: Tensor
        self.spread: Tensor

    def forward(self, window: Tensor) -> Scaled:
        """window: [B, context, channels], NaN = missing."""
        missing = torch.isnan(window)
        bounded = torch.where(missing, self.centre, window).clamp(-LARGEST, LARGEST)
        values = ((bounded - self.centre) / self.spread).clamp(-BOUND, BOUND)
        each = window[:, 0]
        centre, spread = self.centre.expand_as(each), self.spread.expand_as(each)
        return Scaled(values, (~missing).float(), centre, spread)
