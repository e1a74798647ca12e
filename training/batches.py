"""Where a fit's batches come from. A batch follows from the seed and the step alone."""

from __future__ import annotations

from typing import Final, Protocol, final

import numpy as np
import torch
from torch import Tensor

from training.config import FitConfig
from training.data.synthetic import Mixture, draw
from training.data.table import Split, Table

POOL: Final = 32
"""Batches drawn at once: the generator is far faster on thousands of series."""
WARM_UP: Final = 672
"""Slots before the first scored one with which a state is warmed; four weeks of hours."""


class Batches(Protocol):
    """A source of series, float32 [series, length], NaN = missing.

    `validation` is scored from slot `first` on; what lies before only warms the state.
    """

    validation: Tensor
    first: int

    def train(self, step: int) -> Tensor:
        """Return the batch of `step`."""


@final
class SyntheticBatches:
    """Fresh series at every step, drawn from the mixture."""

    def __init__(self, mixture: Mixture, fit: FitConfig, seed: int) -> None:
        self.mixture = mixture
        self.fit = fit
        self.seed = seed
        self.first = 0
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


@final
class TableBatches:
    """Pieces of a table's training part, at random places."""

    def __init__(self, table: Table, cut: Split, fit: FitConfig, seed: int) -> None:
        self.fit = fit
        self.seed = seed
        self.history = torch.from_numpy(table.values[:, cut.start : cut.validate, 0])
        start = max(cut.validate - WARM_UP, cut.start)
        self.first = cut.validate - start
        self.validation = torch.from_numpy(
            table.values[: fit.validation_series, start : cut.test, 0]
        )

    def train(self, step: int) -> Tensor:
        """See `Batches.train`. Pieces are shorter than `fit.length` where the history is."""
        rng = np.random.default_rng((self.seed, step))
        series, slots = self.history.shape
        length = min(self.fit.length, slots)
        rows = rng.integers(0, series, self.fit.batch)
        starts = rng.integers(0, slots - length + 1, self.fit.batch)
        pieces = zip(rows, starts, strict=True)
        return torch.stack([self.history[row, start : start + length] for row, start in pieces])
