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


def leads_of(task: Task) -> Ints:
    """How many slots after the newest one each target is."""
    if isinstance(task, ForecastTask):
        return np.arange(1, task.horizon + 1)
    return np.array([task.lead])


def targets_of(task: Task, table: Table) -> Floats:
    """What is asked for, at every slot: [series, slots], NaN = not known.

    Raises DataError when the table does not have it.
    """
    if not isinstance(task, ForecastTask):
        if table.labels is None:
            raise DataError(f"the data have no label; name the column of {task.target!r}")
        return table.labels
    if task.target not in table.channels:
        raise DataError(f"the target {task.target!r} is not among {list(table.channels)}")
    return table.values[..., table.channels.index(task.target)]
