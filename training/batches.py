"""Where a fit's batches come from. A batch follows from the seed and the step alone."""

from __future__ import annotations

from typing import Final, Protocol, final

import numpy as np
import torch
from torch import Tensor

from training.config import FitConfig
from training.data.synthetic import Mixture, draw
from training.data.waves import Floats

POOL: Final = 32
"""Batches drawn at once: the generator is far faster on thousands of series."""


class Batches(Protocol):
    """A source of series, float32 [series, length], NaN = missing."""

    validation: Tensor

    def train(self, step: int) -> Tensor:
        """Return the batch of `step`."""


@final
class SyntheticBatches:
    """Fresh series at every step, drawn from the mixture."""

    def __init__(self, mixture: Mixture, fit: FitConfig, seed: int) -> None:
        self.mixture = mixture
        self.fit = fit
        self.seed = seed
        self.pool_number = -1
        self.pool = torch.empty(0)
        self.validation = torch.from_numpy(
            draw(mixture, (seed, 0), fit.validation_series, fit.length)
        )

    def train(self, step: int) -> Tensor:
        """See `Batches.train`."""
        number, place = divmod(step, POOL)
        if number != self.pool_number:
            count = POOL * self.fit.batch
            values = draw(self.mixture, (self.seed, 1, number), count, self.fit.length)
            self.pool, self.pool_number = torch.from_numpy(values), number
        return self.pool[place * self.fit.batch : (place + 1) * self.fit.batch]
