"""Linear nets: hard to beat at forecasting, quick, and readable as a table of weights.

After Zeng et al. (2023, "Are Transformers Effective for Time Series Forecasting?"). There each
channel answers for itself; here the channels are read together. `nlinear` with a classification
task is logistic regression on the window.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tidecast.bundle import Positive
from training.features.front import Features, Shape
from training.models.windowed import Net, NetConfig


class NLinearConfig(NetConfig, frozen=True, forbid_unknown_fields=True, tag="nlinear"):
    """Differences to the newest value, so that a level shared by window and answers costs nothing.

    The paper adds the newest value to every answer; here answers learn what to take of it, since
    only some are in the window's units.
    """

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Linear(LessNewest(shape), shape, size)


class DLinearConfig(NetConfig, frozen=True, forbid_unknown_fields=True, tag="dlinear"):
    """A trend and what remains, each with weights of its own.

    smoothing: slots of the moving average that is the trend.
    """

    smoothing: Positive = 25

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Linear(TrendAndRest(shape, self.smoothing), shape, size)


class Split(nn.Module):
    """How a window is taken apart before the weights. `size`: how many numbers that makes."""

    size: int

    @abstractmethod
    def forward(self, values: Tensor) -> Tensor:
        """values: [B, context, channels] without gaps. → [B, size]."""


@final
class LessNewest(Split):
    """What each value is more than the newest one."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.size = (shape.context - 1) * shape.channels

    def forward(self, values: Tensor) -> Tensor:
        """See `Split.forward`."""
        return (values[:, :-1] - values[:, -1:]).flatten(1)


@final
class TrendAndRest(Split):
    """A centred moving average, for which the window's ends repeat, and what it leaves."""

    def __init__(self, shape: Shape, smoothing: int) -> None:
        super().__init__()
        self.size = 2 * shape.context * shape.channels
        self.smoothing = smoothing
        first = -((smoothing - 1) // 2)
        places = torch.arange(first, first + shape.context + smoothing - 1)
        self.register_buffer("places", places.clamp(0, shape.context - 1))
        self.places: Tensor

    def forward(self, values: Tensor) -> Tensor:
        """See `Split.forward`."""
        series = values.transpose(1, 2)
        trend = functional.avg_pool1d(series[..., self.places], self.smoothing, stride=1)
        return torch.cat((trend, series - trend), 1).flatten(1)


@final
class Linear(Net):
    """One linear layer over the parts of a window, its newest slot, history, and what is ahead."""

    def __init__(self, split: Split, shape: Shape, size: int) -> None:
        super().__init__()
        self.split = split
        self.channels = shape.channels
        others = shape.slot + shape.history + shape.horizon * shape.ahead
        self.layer = nn.Linear(split.size + others, size)

    def forward(self, features: Features) -> Tensor:
        """See `Net.forward`."""
        slots, ahead = features.slots, features.ahead.flatten(1)
        parts = self.split(slots[..., : self.channels])
        raw: Tensor = self.layer(torch.cat((parts, slots[:, -1], features.history, ahead), 1))
        return raw
