"""What every task's head does: raw numbers of a net to answers, in the graph, and to a loss."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

import torch
from torch import Tensor, nn

from training.data.waves import Floats
from training.features.front import Features
from training.tasks.band import Band

FAR: Final = 50.0
"""Targets beyond this many spreads are outliers that no answer could meet."""


class Head(nn.Module):
    """The last part of a model.

    size: how many numbers it wants of the net. width: how many its answers have for a slot, levels
    or classes.
    """

    size: int
    width: int
    classifies = False

    @abstractmethod
    def forward(self, raw: Tensor, features: Features) -> Tensor:
        """Answers by the bundle's contract, [B, horizon, levels], [B, classes]. raw: [B, size]."""

    @abstractmethod
    def loss(self, raw: Tensor, features: Features, targets: Tensor) -> Tensor:
        """What a fit minimises, a scalar; targets that are NaN count for nothing."""

    @abstractmethod
    def unit(self, window: Floats) -> Floats:
        """By what an error of an answer is measured, [B]. window: [B, context, channels]."""


class QuantileHead(Head):
    """The head of a task whose answers are quantiles."""

    band: Band
    levels: Tensor

    @abstractmethod
    def scored(self, raw: Tensor, features: Features, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Quantiles [B, answers, levels] and targets [B, answers], both without units."""

    def loss(self, raw: Tensor, features: Features, targets: Tensor) -> Tensor:
        """See `Head.loss`."""
        return pinball(*self.scored(raw, features, targets), self.levels)


def pinball(quantiles: Tensor, targets: Tensor, levels: Tensor) -> Tensor:
    """Mean pinball loss over all known targets (Koenker & Bassett, 1978), a scalar.

    quantiles: [..., levels]. targets: [...], NaN = not known. levels: [levels].
    """
    known = ~torch.isnan(targets)
    error = torch.where(known, targets, 0.0).clamp(-FAR, FAR)[..., None] - quantiles
    losses = torch.maximum(levels * error, (levels - 1) * error).mean(-1)
    return (losses * known).sum() / known.sum().clamp(min=1)
