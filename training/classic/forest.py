"""Random forest (Breiman, 2001): the mean of trees that saw different rows and features."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from tidecast.bundle import Positive
from training.classic.family import ClassicConfig, Share
from training.tasks.classification import ClassificationTask
from training.tasks.task import Task


class ForestConfig(ClassicConfig, frozen=True, forbid_unknown_fields=True, tag="forest"):
    """`leaves` of a tree, at most, grown where they help most; `trees` times `leaves` times the
    horizon decides on the graph's size. `least`: rows of a leaf. `features`: share of them that
    each split may choose from.
    """

    lighter: ClassVar[str] = "fewer `trees` or `leaves`, or a shorter horizon"

    trees: Positive = 50
    leaves: Annotated[int, Meta(ge=2)] = 64
    least: Positive = 3
    features: Share = 0.3

    def estimator(self, task: Task, seed: int) -> BaseEstimator:
        """See `ClassicConfig.estimator`. One forest answers all leads."""
        classifies = isinstance(task, ClassificationTask)
        forest = RandomForestClassifier if classifies else RandomForestRegressor
        return forest(
            n_estimators=self.trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least,
            max_features=self.features,
            random_state=seed,
        )
