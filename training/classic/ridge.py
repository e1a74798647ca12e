"""Linear regression with a squared penalty (Hoerl & Kennard, 1970), all leads at once."""

from __future__ import annotations

from typing import ClassVar

from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from tidecast.errors import SettingsError
from training.classic.family import Above, ClassicConfig
from training.tasks.classification import ClassificationTask
from training.tasks.task import Task


class RidgeConfig(ClassicConfig, frozen=True, forbid_unknown_fields=True, tag="ridge"):
    """`penalty` on the squared weights, against the squared errors of all rows."""

    lighter: ClassVar[str] = "a shorter `context` or horizon"

    penalty: Above = 1.0

    def estimator(self, task: Task, seed: int) -> BaseEstimator:
        """See `ClassicConfig.estimator`."""
        if isinstance(task, ClassificationTask):
            raise SettingsError("family `ridge` gives numbers; take `logistic` for classes")
        return Ridge(alpha=self.penalty, random_state=seed)
