"""What all classic families share: a configuration that builds an estimator for a task."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.multioutput import MultiOutputRegressor

from tidecast.bundle import Positive
from training.tasks.task import Task, horizon_of

Share = Annotated[float, Meta(gt=0.0, le=1.0)]
Above = Annotated[float, Meta(gt=0.0)]


class ClassicConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family"):
    """`context`: slots of a window. `rows`: windows to learn from, at most; of more a seeded
    sample is drawn, of each class its share.
    """

    lighter: ClassVar[str]
    """Which settings make the graph smaller, in words for an error."""

    context: Positive = 96
    rows: Positive = 10_000

    def estimator(self, task: Task, seed: int) -> BaseEstimator:
        """Build scikit-learn's estimator, not yet fitted.

        It takes float32 [N, features] and learns the scaled target, [N] or [N, horizon], or the
        class [N]. Raises SettingsError where the family has none for the task.
        """
        raise NotImplementedError


def for_each_lead(estimator: BaseEstimator, task: Task) -> BaseEstimator:
    """An estimator of one number becomes one for each lead, where there are several."""
    return MultiOutputRegressor(estimator) if horizon_of(task) > 1 else estimator
