"""A running average of the weights, steadier than those of one step (Polyak & Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, final

import torch
from torch import Tensor, nn

YOUNG: Final = 10
"""The average of the first steps forgets faster: where it began is far from where it ends."""


@final
class Average:
    """The exponentially weighted mean of a model's parameters.

    values: one for each parameter, in their order.
    """

    def __init__(self, model: nn.Module, kept: float) -> None:
        """kept: the part of the average that stays at each step, below 1; of 0 the last is all."""
        self._parameters = list(model.parameters())
        self._kept = kept
        self.values = [part.detach().clone() for part in self._parameters]

    @torch.no_grad()
    def take(self, step: int) -> None:
        """Take in the weights after `step`, 1 being the first."""
        kept = min(self._kept, step / (step + YOUNG))
        for value, part in zip(self.values, self._parameters, strict=True):
            value.lerp_(part, 1 - kept)

    @contextmanager
    def instead(self) -> Iterator[None]:
        """The model has the average for weights meanwhile."""
        own = [part.detach().clone() for part in self._parameters]
        self._fill(self.values)
        try:
            yield
        finally:
            self._fill(own)

    @torch.no_grad()
    def _fill(self, values: list[Tensor]) -> None:
        for part, value in zip(self._parameters, values, strict=True):
            part.copy_(value)
