"""Gradient boosting (Friedman, 2001): each tree mends what those before it left over.

Scikit-learn's faster variant on histograms is not used: no converter gives it faithfully.
"""

from __future__ import annotations

from typing import ClassVar

from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from tidecast.bundle import Positive
from training.classic.family import ClassicConfig, Share, for_each_lead
from training.tasks.classification import ClassificationTask
from training.tasks.task import Task


class BoostingConfig(ClassicConfig, frozen=True, forbid_unknown_fields=True, tag="boosting"):
    """`trees` for each lead or class, `depth` splits deep. `rate`: how much of an error a tree
    mends. `sample`, `features`: shares of rows for each tree, of features for each split; time
    grows with both, and with the horizon.
    """

    lighter: ClassVar[str] = "fewer `trees`, less `depth`, or a shorter horizon"

    rows: Positive = 5000
    trees: Positive = 50
    depth: Positive = 3
    rate: Share = 0.1
    sample: Share = 0.5
    features: Share = 0.1

    def estimator(self, task: Task, seed: int) -> BaseEstimator:
        """See `ClassicConfig.estimator`."""
        classifies = isinstance(task, ClassificationTask)
        boosting = GradientBoostingClassifier if classifies else GradientBoostingRegressor
        fresh = boosting(
            n_estimators=self.trees,
            max_depth=self.depth,
            learning_rate=self.rate,
            subsample=self.sample,
            max_features=self.features,
            random_state=seed,
        )
        return fresh if classifies else for_each_lead(fresh, task)
