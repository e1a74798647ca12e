"""A small problem that every family can learn: a noisy daily wave, hour by hour, with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from stream.grid import FloatArray
from training.classic.boosting import BoostingConfig
from training.classic.families import ClassicFamily
from training.classic.fit import Job
from training.classic.forest import ForestConfig
from training.classic.logistic import LogisticConfig
from training.classic.ridge import RidgeConfig
from training.classic.svm import SvmConfig
from training.features.calendar import Calendar
from training.features.front import FeaturesConfig, Front
from training.features.scaling import GlobalScaling, WindowScaling
from training.rows import Rows
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task

CONTEXT, HORIZON, HOUR = 24, 4, 3600
SLOTS: Final = 420
TAUGHT: Final = 300
"""Windows that a model learns from; it is judged by later ones."""

SMALL: Final[dict[str, ClassicFamily]] = {
    "ridge": RidgeConfig(CONTEXT),
    "svm": SvmConfig(CONTEXT, rows=150),
    "forest": ForestConfig(CONTEXT, trees=12, leaves=16),
    "boosting": BoostingConfig(CONTEXT, trees=12),
    "logistic": LogisticConfig(CONTEXT),
}
TASKS: Final[dict[str, Task]] = {
    "forecast": ForecastTask("value", HORIZON),
    "regression": RegressionTask("load"),
    "two classes": ClassificationTask("phase", ("low", "high")),
    "three classes": ClassificationTask("phase", ("low", "middle", "high")),
}
CLASSIFIERS: Final = ("logistic", "svm", "forest", "boosting")
REGRESSORS: Final = ("ridge", "svm", "forest", "boosting")
CASES: Final = [
    (family, task)
    for task in TASKS
    for family in (CLASSIFIERS if "classes" in task else REGRESSORS)
]


def wave(seed: int = 1) -> FloatArray:
    """[SLOTS] values around 100, some of them missing."""
    rng = np.random.default_rng(seed)
    clock = np.arange(SLOTS) * 2 * np.pi / 24
    values = 100 + 10 * np.sin(clock) + rng.normal(0, 1, SLOTS)
    values[rng.random(SLOTS) < 0.04] = np.nan
    return values.astype(np.float32)


def rows_of(task: Task, values: FloatArray) -> Rows:
    """Every window of the wave that has a whole horizon behind it, with what the task asks."""
    origins = np.arange(CONTEXT - 1, len(values) - HORIZON)
    windows = np.stack([values[origin - CONTEXT + 1 : origin + 1] for origin in origins])
    ahead = np.stack([values[origin + 1 : origin + 1 + HORIZON] for origin in origins])
    level = np.nanmean(windows[:, -3:], axis=1)
    if isinstance(task, ForecastTask):
        targets = ahead
    elif isinstance(task, RegressionTask):
        targets = 5000 + 40 * (level - 100)
    else:
        edges = (100,) if len(task.classes) == 2 else (95, 105)
        targets = np.digitize(level, edges).astype(np.float32)
    return Rows(windows[..., None], origins * HOUR, targets)


def front_of(task: Task, covariates: GlobalScaling | None = None) -> Front:
    """The front of a model for the wave."""
    horizon = task.horizon if isinstance(task, ForecastTask) else 1
    sizes = (CONTEXT, horizon, 1, HOUR)
    return Front(
        FeaturesConfig(calendar=("day",)),
        WindowScaling(CONTEXT),
        Calendar(("day",)),
        covariates,
        sizes,
    )


def job_of(family: str, task: Task, covariates: Sequence[float] | None = None) -> Job:
    """A job for the wave; covariates: centre and spread of one that is known ahead."""
    scaling = covariates and GlobalScaling(*(torch.tensor([number]) for number in covariates))
    return Job(SMALL[family], task, front_of(task, scaling or None))


def early(rows: Rows) -> Rows:
    """Those to learn from."""
    return rows.take(np.arange(TAUGHT))


def late(rows: Rows) -> Rows:
    """Those to be judged by."""
    return rows.take(np.arange(TAUGHT + HORIZON, len(rows.origins)))
