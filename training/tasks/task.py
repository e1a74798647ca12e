"""The tasks there are, what each takes from a table, and its head."""

from __future__ import annotations

import numpy as np

from tidecast.errors import DataError
from training.data.table import Table
from training.data.waves import Floats, Ints
from training.tasks.classification import ClassificationHead, ClassificationTask
from training.tasks.forecast import ForecastHead, ForecastTask
from training.tasks.head import Head
from training.tasks.regression import RegressionHead, RegressionTask

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


def head_of(task: Task, table: Table, training: range) -> Head:
    """The task's head; what it must know of the target is taken from the training part alone."""
    if isinstance(task, ForecastTask):
        return ForecastHead(task, table.channels.index(task.target))
    seen = targets_of(task, table)[:, training.start : training.stop]
    known = seen[~np.isnan(seen)]
    if not known.size:
        raise DataError(f"no {task.target!r} is known in the training part")
    if isinstance(task, RegressionTask):
        centre = float(known.mean())
        return RegressionHead(task, centre, float(np.abs(known - centre).mean()))
    counts = np.bincount(known.astype(np.int64), minlength=len(task.classes))
    return ClassificationHead(task, counts.tolist())
