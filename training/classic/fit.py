"""Fitting a classic family: rows in, one checked graph out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.class_weight import compute_sample_weight

from stream.grid import FloatArray, IntArray
from tidecast.errors import DataError
from training.classic.assemble import assembled, require_small
from training.classic.conformal import offsets_of
from training.classic.convert import converted
from training.classic.families import ClassicFamily
from training.classic.parity import worst_error
from training.classic.parts import at_most, split_by_time
from training.classic.tails import probability_tail, quantiles_tail
from training.classic.targets import classes_of, usable, without_gaps, without_units
from training.classic.trunk import Seen, Trunk
from training.classic.units import label_units, no_units, window_units
from training.features.front import Front
from training.graphs import Contract
from training.rows import Rows, require_rows
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task, horizon_of


class Classic(NamedTuple):
    """A fitted classic model.

    graph: by the contract in `tidecast.bundle`, with these sizes. rows: how many the estimator
    learned from. held: how many measured its errors, 0 for a classifier. parity: the graph's worst
    distance to scikit-learn, relative.
    """

    graph: bytes
    contract: Contract
    rows: int
    held: int
    parity: float


class Job(NamedTuple):
    """What is to be fitted. `channel`: the target's place among the channels, of a forecast."""

    family: ClassicFamily
    task: Task
    front: Front
    channel: int = 0
    seed: int = 1


def fit_classic(job: Job, rows: Rows) -> Classic:
    """Fit a scikit-learn estimator on training rows and return it as one graph.

    rows: of the training part alone, see `Rows`. Rows with less than half of their targets are
    left out. A forecast or regression holds the newest fifth back to measure its errors.
    Raises SettingsError when the family has no estimator for the task, DataError when the rows do
    not do, BundleError when the graph is too large or differs from scikit-learn.
    """
    estimator = job.family.estimator(job.task, job.seed)
    channels = (job.front.shape.slot - job.front.calendar.size) // 2
    _require_fit(job, rows, channels)
    known = rows.take(np.flatnonzero(usable(rows.targets)))
    if isinstance(job.task, ClassificationTask):
        return _classifier(job, job.task, estimator, known)
    return _regressor(job, job.task, estimator, known)


def _regressor(
    job: Job, task: ForecastTask | RegressionTask, estimator: BaseEstimator, rows: Rows
) -> Classic:
    """The estimator's answer as the median, and levels from its errors on the newest rows."""
    forecasts = isinstance(task, ForecastTask)
    reach_s = int(job.front.forth[-1]) if forecasts else 0
    taught, held = (
        rows.take(at_most(job.family.rows, part, np.zeros(len(part), np.int64), job.seed))
        for part in split_by_time(rows.origins, reach_s)
    )
    units = window_units(job.channel) if forecasts else label_units(taught.targets)
    trunk = Trunk(job.front, rows.windows.shape[2], units)
    seen = trunk.see(taught)
    targets = without_gaps(_scaled(taught, seen))
    _learn(estimator, seen, targets[:, 0] if targets.shape[1] == 1 else targets)
    unseen = trunk.see(held)
    answers = np.asarray(estimator.predict(unseen.flat)).reshape(len(held.origins), -1)
    offsets = offsets_of(_scaled(held, unseen) - answers, task.quantile_levels)
    graph, parity = _gated(job, trunk, estimator, held, offsets)
    return Classic(graph, _contract(job, rows), len(taught.origins), len(held.origins), parity)


def _classifier(
    job: Job, task: ClassificationTask, estimator: BaseEstimator, rows: Rows
) -> Classic:
    """The estimator's probabilities; a rare class counts as much as any if the task says so."""
    order = np.argsort(rows.origins, kind="stable")
    numbers = classes_of(task, rows.targets)[order]
    taught = rows.take(at_most(job.family.rows, order, numbers, job.seed))
    wanted = taught.targets.astype(np.int64)
    weights = compute_sample_weight("balanced", wanted) if task.weights == "balanced" else None
    trunk = Trunk(job.front, rows.windows.shape[2], no_units)
    _learn(estimator, trunk.see(taught), wanted, weights)
    graph, parity = _gated(job, trunk, estimator, taught, None)
    return Classic(graph, _contract(job, rows), len(taught.origins), 0, parity)


def _learn(
    estimator: BaseEstimator,
    seen: Seen,
    targets: FloatArray | IntArray,
    weights: FloatArray | None = None,
) -> None:
    """Fit in place. Raises DataError when scikit-learn refuses the rows."""
    try:
        estimator.fit(seen.flat, targets, sample_weight=weights)
    except ValueError as error:
        raise DataError(f"scikit-learn cannot learn from these rows: {error}") from error


def _gated(
    job: Job, trunk: Trunk, estimator: BaseEstimator, rows: Rows, offsets: FloatArray | None
) -> tuple[bytes, float]:
    """The joined graph, small enough and equal to scikit-learn; its worst error on `rows`.

    offsets: [leads, levels] around the estimator's answer; None for a classifier.
    """
    contract = _contract(job, rows)
    body = converted(estimator, job.front.shape.flat)
    tail = probability_tail(contract.width) if offsets is None else quantiles_tail(offsets)
    model = assembled(trunk.graph, body, tail, contract)
    graph = require_small(model.SerializeToString(), job.family)
    return graph, worst_error(model, estimator, rows, offsets)


def _contract(job: Job, rows: Rows) -> Contract:
    task = job.task
    classifies = isinstance(task, ClassificationTask)
    return Contract(
        context=job.front.shape.context,
        channels=rows.windows.shape[2],
        horizon=horizon_of(task),
        width=len(task.classes if isinstance(task, ClassificationTask) else task.quantile_levels),
        classifies=classifies,
        covariates=0 if rows.future is None else rows.future.shape[2],
    )


def _scaled(rows: Rows, seen: Seen) -> FloatArray:
    """Targets without units, [N, leads]."""
    return without_units(rows.targets.reshape(len(rows.origins), -1), seen.centre, seen.spread)


def _require_fit(job: Job, rows: Rows, channels: int) -> None:
    """Raise DataError unless the rows are those that the front and the task want."""
    context, horizon = job.front.shape.context, job.front.shape.horizon
    covariates = job.front.covariates
    require_rows(
        rows,
        (context, channels),
        (horizon,) if isinstance(job.task, ForecastTask) else (),
        None if covariates is None else (horizon, len(covariates.centre)),
    )
