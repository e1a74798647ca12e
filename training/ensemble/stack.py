"""Weights of a stacked ensemble: what would have been best on the validation part.

Weights are not negative and sum to one (Breiman, Stacked Regressions, 1996): the answers stay
between the members', and a handful of numbers cannot overfit a validation part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FLOOR: Final = 1e-7
"""The least probability that a mixture is charged for: a class ruled out costs 16, not infinity."""

Reals = NDArray[np.floating]
Weights = NDArray[np.float64]
Loss = Callable[[Weights], tuple[float, Weights]]
"""From weights [M] to what is to be small, and its slope [M]."""


def pinball_of(answers: Reals, targets: Reals, levels: Sequence[float], units: Reals) -> Loss:
    """Mean pinball loss (Koenker & Bassett, 1978) of mixed quantiles.

    answers: [M, N, horizon, levels]. targets: [N, horizon], NaN = not known. units: [N], what an
    error of one is in each row, so that large series do not drown small ones; rows with 0 are left
    out.
    """
    rows, leads = np.nonzero(~np.isnan(targets) & (units > 0)[:, None])
    known = answers[:, rows, leads].astype(np.float64) / units[rows, None]
    wanted = (targets[rows, leads] / units[rows])[:, None]
    risen = np.asarray(levels)

    def loss(weights: Weights) -> tuple[float, Weights]:
        error = wanted - np.tensordot(weights, known, 1)
        slope = np.where(error < 0, risen - 1, risen)
        count = max(error.size, 1)
        return float((slope * error).sum() / count), -(known * slope).sum((1, 2)) / count

    return loss


def log_loss_of(answers: Reals, classes: Reals) -> Loss:
    """Mean logarithmic loss of mixed probabilities.

    answers: [M, N, classes]. classes: [N] numbers of the true ones, NaN = not known.
    """
    rows = np.flatnonzero(~np.isnan(classes))
    given = answers[:, rows, classes[rows].astype(np.int64)].astype(np.float64)

    def loss(weights: Weights) -> tuple[float, Weights]:
        mixed = np.maximum(weights @ given, FLOOR)
        count = max(len(rows), 1)
        return float(-np.log(mixed).sum() / count), -(given / mixed).sum(1) / count

    return loss


def best_weights(loss: Loss, count: int) -> Weights:
    """The weights [M] of least loss, a convex problem; never worse than equal ones or one member.

    Solved by sequential quadratic programming (Kraft, 1988), from equal weights.
    """
    equal = np.full(count, 1 / count)
    found = minimize(
        loss,
        equal,
        jac=True,
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        method="SLSQP",
    )
    kept = np.clip(found.x, 0, 1)
    tried = [kept / kept.sum(), equal, *np.eye(count)]
    best: Weights = min(tried, key=lambda weights: loss(weights)[0])
    return best
