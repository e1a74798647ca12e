"""Missing values from a model of the other channels and of what came before."""

from __future__ import annotations

import warnings
from typing import Annotated, Final

import numpy as np
from msgspec import Meta
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the import below work
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge

from tidecast.bundle import Positive
from training.data.cleaning.step import ChannelStep, Cleaned
from training.data.table import Split, Table
from training.data.waves import Floats

AT_ONCE: Final = 50_000
"""Slots imputed at a time."""


class ModelFill(ChannelStep, frozen=True, tag="model"):
    """Each channel by a ridge regression on the others and on the slots before.

    scikit-learn's IterativeImputer (after van Buuren & Groothuis-Oudshoorn, 2011), fitted on the
    training part alone. In place of nearest neighbours, since what it learns is small: the cost
    grows with the slots, not with their square. It sees no later slot, so it may fill any part; it
    leaves the range of the training part nowhere. A slot of which nothing is known, neither a
    channel nor a lag, stays missing.
    """

    lags: Annotated[int, Meta(ge=0, le=100)] = 3
    """How many slots before are looked at."""
    rows: Positive = 20_000
    """Slots to fit on, drawn from the training part."""
    rounds: Positive = 10
    seed: Annotated[int, Meta(ge=0)] = 1

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""

        def change(values: Floats) -> Floats:
            centre, spread = _scale(values[:, cut.start : cut.validate])
            filled = self._fill((values - centre) / spread, cut)
            return np.where(np.isnan(values), filled * spread + centre, values).astype(np.float32)

        return self.on_chosen(table, change)

    def _fill(self, values: Floats, cut: Split) -> Floats:
        """Fill scaled values [series, slots, channels] as far as anything is known."""
        lagged = self._lagged(values)
        learnt = lagged[:, cut.start : cut.validate].reshape(-1, lagged.shape[2])
        learnt = learnt[~np.isnan(learnt).all(axis=1)]
        if not len(learnt):
            return values
        picked = np.random.default_rng(self.seed).permutation(len(learnt))[: self.rows]
        imputer = IterativeImputer(
            # Its own choice, BayesianRidge, runs away where one channel follows from another.
            Ridge(),
            max_iter=self.rounds,
            random_state=self.seed,
            keep_empty_features=True,
            min_value=_bound(np.fmin, learnt),
            max_value=_bound(np.fmax, learnt),
        )
        with warnings.catch_warnings():
            # The number of rounds is the user's; a regression that still moves is no fault.
            warnings.simplefilter("ignore", ConvergenceWarning)
            imputer.fit(learnt[np.sort(picked)])
        # A channel of which the history holds nothing was not learnt.
        unlearnt = np.isnan(learnt[:, : values.shape[2]]).all(axis=0)
        gaps = np.isnan(values).any(axis=2) & ~np.isnan(lagged).all(axis=2)
        filled = values.copy()
        filled[gaps] = _in_turns(imputer, lagged[gaps])[:, : values.shape[2]]
        return np.where(unlearnt, values, filled)

    def _lagged(self, values: Floats) -> Floats:
        """The channels of a slot, then those of the slots before: [series, slots, features]."""
        slots = values.shape[1]
        padded = np.pad(values, ((0, 0), (self.lags, 0), (0, 0)), constant_values=np.nan)
        shifted = [padded[:, lag : lag + slots] for lag in range(self.lags, -1, -1)]
        return np.concatenate(shifted, axis=2)


def _bound(end: np.ufunc, rows: Floats) -> Floats:
    """The least or the greatest of each feature [features], 0 of one that is never known."""
    bound: Floats = end.reduce(rows, axis=0)
    # The library wants room between the two bounds.
    return np.nan_to_num(bound) + np.float32(1e-6 if end is np.fmax else -1e-6)


def _in_turns(imputer: IterativeImputer, rows: Floats) -> Floats:
    """The rows [n, features] without missing values."""
    turns = [imputer.transform(rows[at : at + AT_ONCE]) for at in range(0, len(rows), AT_ONCE)]
    return np.concatenate([rows[:0], *turns]).astype(np.float32)


def _scale(history: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of each series' channels, [series, 1, channels]; 0 and 1 for nothing."""
    known = ~np.isnan(history)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    centre = np.where(known, history, 0).sum(axis=1, keepdims=True, dtype=np.float64) / count
    square = np.where(known, history - centre, 0) ** 2
    spread = np.sqrt(square.sum(axis=1, keepdims=True) / count)
    spread = np.where(spread > np.finfo(np.float32).tiny, spread, 1)
    return centre.astype(np.float32), spread.astype(np.float32)
