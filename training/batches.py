"""Where a streaming fit's pieces come from. A batch follows from the seed and the step alone."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol, final

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


class Pieces(NamedTuple):
    """Pieces of series. values: float32 [B, T], NaN = missing. times: int64 [B, T] seconds since
    1970 of the slots.
    """

    values: Tensor
    times: Tensor


class Batches(Protocol):
    """A source of pieces of series.

    `validation` is scored from slot `first` on; what lies before only warms the state. `practice`
    is what the batches are cut from; None where each of them is as new as the validation part.
    """

    validation: Pieces
    first: int
    practice: Pieces | None

    def train(self, step: int) -> Pieces:
        """Return the batch of `step`."""


@final
class SyntheticBatches:
    """Fresh series at every step, drawn from the mixture."""

    def __init__(self, mixture: Mixture, fit: FitConfig, seed: int) -> None:
        self.mixture = mixture
        self.fit = fit
        self.seed = seed
        self.first = 0
        self.practice: Pieces | None = None
        self.pool_number = -1
        self.pool = torch.empty(0)
        values = draw(mixture, (seed, 0), fit.validation_series, fit.length)
        self.validation = _timeless(torch.from_numpy(values))

    def train(self, step: int) -> Pieces:
        """See `Batches.train`."""
        number, place = divmod(step, POOL)
        if number != self.pool_number:
            count = POOL * self.fit.batch
            values = draw(self.mixture, (self.seed, 1, number), count, self.fit.length)
            self.pool, self.pool_number = torch.from_numpy(values), number
        return _timeless(self.pool[place * self.fit.batch : (place + 1) * self.fit.batch])


def _timeless(values: Tensor) -> Pieces:
    """Series of no calendar: every slot is at the beginning of time."""
    return Pieces(values, torch.zeros(1, 1, dtype=torch.int64).expand_as(values))


@final
class TableBatches:
    """Pieces of a table's training part, at random places; the table has one channel."""

    def __init__(self, table: Table, cut: Split, fit: FitConfig, seed: int) -> None:
        self.fit = fit
        self.seed = seed
        values = torch.from_numpy(np.ascontiguousarray(table.values[..., 0]))
        slots = torch.arange(values.shape[1], dtype=torch.int64)
        every = Pieces(values, (table.first + slots * table.step_seconds).expand_as(values))
        self.history = Pieces(*(part[:, cut.start : cut.validate] for part in every))
        start = max(cut.validate - WARM_UP, cut.start)
        self.first = cut.validate - start
        rows = slice(fit.validation_series)
        self.validation = Pieces(*(part[rows, start : cut.test] for part in every))
        self.practice: Pieces | None = Pieces(*(part[rows] for part in self.history))

    def train(self, step: int) -> Pieces:
        """See `Batches.train`. Pieces are shorter than `fit.length` where the history is."""
        rng = np.random.default_rng((self.seed, step))
        series, slots = self.history.values.shape
        length = min(self.fit.length, slots)
        rows = torch.from_numpy(rng.integers(0, series, (self.fit.batch, 1)))
        starts = rng.integers(0, slots - length + 1, (self.fit.batch, 1))
        columns = torch.from_numpy(starts + np.arange(length))
        return Pieces(*(part[rows, columns] for part in self.history))
