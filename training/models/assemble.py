"""A windowed model from its four choices: a family, features, a task, and what the data are like.

The statistics are those of the training part alone: they end up in the graph, and a mean that had
seen the test part would tell of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch

from tidecast.errors import SettingsError
from training.data.table import Table
from training.data.waves import Floats
from training.features.calendar import Calendar
from training.features.front import FeaturesConfig, Front
from training.features.scaling import GlobalScaling, WindowScaling
from training.features.window import LARGEST
from training.models.windowed import NetConfig, Windowed
from training.tasks.classification import ClassificationHead, ClassificationTask
from training.tasks.forecast import ForecastHead, ForecastTask
from training.tasks.head import Head
from training.tasks.regression import RegressionHead, RegressionTask
from training.tasks.task import Task, horizon_of


class Level(NamedTuple):
    """Mean and mean absolute deviation of the known values, one of each a column."""

    centre: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def scaling(self) -> GlobalScaling:
        """By these numbers."""
        return GlobalScaling(torch.tensor(self.centre), torch.tensor(self.spread))


NOTHING: Final = Level((), ())


class Statistics(NamedTuple):
    """What a model takes over from the training part of a table.

    values, covariates: a column a channel, a covariate. label: one column, or none where there are
    no labels. counts: how many labels each class of the task has. static: which covariates never
    change.
    """

    channels: tuple[str, ...]
    step_seconds: int
    values: Level
    covariates: Level = NOTHING
    label: Level = NOTHING
    counts: tuple[int, ...] = ()
    static: tuple[bool, ...] = ()


def measure(train: Table, task: Task) -> Statistics:
    """Take the statistics of a table that holds the training part and nothing else."""
    classes = task.classes if isinstance(task, ClassificationTask) else ()
    return Statistics(
        train.channels,
        train.step_seconds,
        level(train.values),
        NOTHING if train.known is None else level(train.known),
        NOTHING if train.labels is None else level(train.labels[..., None]),
        tuple(int(np.sum(train.labels == number)) for number in range(len(classes))),
        tuple(name in train.static for name in train.covariates),
    )


def level(values: Floats) -> Level:
    """values: [..., columns], NaN = missing. A column without values has centre and spread 0."""
    columns = values.reshape(-1, values.shape[-1]).astype(np.float64).clip(-LARGEST, LARGEST)
    known = ~np.isnan(columns)
    count = known.sum(0).clip(min=1)
    centre = columns.sum(0, where=known) / count
    spread = np.abs(columns - centre).sum(0, where=known) / count
    return Level(tuple(centre.tolist()), tuple(spread.tolist()))


def windowed_model(
    family: NetConfig,
    features: FeaturesConfig,
    task: Task,
    statistics: Statistics,
    holidays: Sequence[int] = (),
) -> Windowed:
    """Build an untrained model; its weights follow from torch's generator.

    holidays: days since 1970 in UTC. Raises SettingsError where the choices contradict each other.
    """
    front = front_of(family.context, features, task, statistics, holidays)
    head = _head(task, statistics)
    return Windowed(front, family.net(front.shape, head.size), head)


def front_of(
    context: int,
    features: FeaturesConfig,
    task: Task,
    statistics: Statistics,
    holidays: Sequence[int] = (),
) -> Front:
    """Build the front of any family that sees windows.

    Raises SettingsError when the features reach back further than the context.
    """
    reach = features.history.reach
    if reach > context:
        raise SettingsError(f"features.history needs {reach} slots, the context has {context}")
    by_window = features.scaling == "window"
    return Front(
        features,
        WindowScaling(context) if by_window else statistics.values.scaling,
        Calendar(features.calendar, holidays),
        statistics.covariates.scaling if statistics.covariates.centre else None,
        (context, horizon_of(task), len(statistics.channels), statistics.step_seconds),
        statistics.static,
    )


def _head(task: Task, statistics: Statistics) -> Head:
    if isinstance(task, ForecastTask):
        if task.target not in statistics.channels:
            names = ", ".join(statistics.channels)
            raise SettingsError(f"task.target {task.target!r} is not a channel; there are: {names}")
        return ForecastHead(task, statistics.channels.index(task.target))
    if not statistics.label.centre:
        raise SettingsError(f"the data have no labels, yet the task asks for {task.target!r}")
    if isinstance(task, RegressionTask):
        return RegressionHead(task, statistics.label.centre[0], statistics.label.spread[0])
    return ClassificationHead(task, statistics.counts)
