"""Logistic regression: a class's odds are a weighted sum of the features."""

from __future__ import annotations

from typing import ClassVar, Final

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from tidecast.errors import SettingsError
from training.classic.family import Above, ClassicConfig
from training.tasks.classification import ClassificationTask
from training.tasks.task import Task

ITERATIONS: Final = 1000
"""Features are scaled already, so that far fewer are needed."""


class LogisticConfig(ClassicConfig, frozen=True, forbid_unknown_fields=True, tag="logistic"):
    """`strength`: how much the weights may grow, the inverse of the squared (L2) penalty."""

    lighter: ClassVar[str] = "a shorter `context`"

    strength: Above = 1.0

    def estimator(self, task: Task, seed: int) -> BaseEstimator:
        """See `ClassicConfig.estimator`."""
        if not isinstance(task, ClassificationTask):
            raise SettingsError("family `logistic` classifies; take `ridge` for numbers")
        return LogisticRegression(C=self.strength, max_iter=ITERATIONS, random_state=seed)
