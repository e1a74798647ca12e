"""Support vector machine with a Gaussian kernel (Cortes & Vapnik, 1995)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC, SVR

from tidecast.bundle import Positive
from training.classic.family import Above, ClassicConfig, for_each_lead
from training.tasks.classification import ClassificationTask
from training.tasks.task import Task

FOLDS: Final = 3
"""Parts of the rows whose scores, by a machine that has not seen them, set the probabilities."""


class SvmConfig(ClassicConfig, frozen=True, forbid_unknown_fields=True, tag="svm"):
    """`cost` of an error against a flat answer. `tube`: errors within it, in spreads of the
    target, cost nothing. Time grows with the square of `rows`, the graph with `rows`.
    """

    lighter: ClassVar[str] = "fewer `rows` or a shorter `context`"

    rows: Positive = 1500
    cost: Above = 1.0
    tube: Annotated[float, Meta(ge=0.0)] = 0.1

    def estimator(self, task: Task, seed: int) -> BaseEstimator:
        """See `ClassicConfig.estimator`. Scores become probabilities by Platt's sigmoid (1999)."""
        if isinstance(task, ClassificationTask):
            machine = SVC(C=self.cost, random_state=seed)
            return CalibratedClassifierCV(machine, cv=FOLDS, ensemble=False)
        return for_each_lead(SVR(C=self.cost, epsilon=self.tube), task)
