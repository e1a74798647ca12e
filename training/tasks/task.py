"""The tasks there are, and what each takes from a table."""

from __future__ import annotations

import numpy as np

from tidecast.errors import DataError
from training.data.table import Table
from training.data.waves import Floats, Ints
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask

Task = ForecastTask | RegressionTask | ClassificationTask


def lead_of(task: Task) -> int:
    """How many slots after the newest one the first answer is for."""
    return 1 if isinstance(task, ForecastTask) else task.lead


def horizon_of(task: Task) -> int:
    """For how many slots a task asks at once."""
    return task.horizon if isinstance(task, ForecastTask) else 1


def leads_of(task: Task) -> Ints:
    """How many slots after the newest one each target is."""
    return lead_of(task) + np.arange(horizon_of(task))


def targets_of(task: Task, table: Table) -> Floats:
    """What is asked for, at every slot: [series, slots], NaN = not known.

    Raises DataError when the table does not have it.
    """
    if isinstance(task, ForecastTask):
        return table.values[..., channel_of(task, table)]
    if table.labels is None:
        raise DataError(f"the data have no label; name the column of {task.target!r}")
    return table.labels


def channel_of(task: ForecastTask, table: Table) -> int:
    """The target's place among the channels.

    Raises DataError when there is none.
    """
    if task.target not in table.channels:
        raise DataError(f"the target {task.target!r} is not among {list(table.channels)}")
    return table.channels.index(task.target)
