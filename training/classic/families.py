"""All classic families as one type, told apart by the key `family`."""

from __future__ import annotations

from training.classic.boosting import BoostingConfig
from training.classic.forest import ForestConfig
from training.classic.logistic import LogisticConfig
from training.classic.ridge import RidgeConfig
from training.classic.svm import SvmConfig

ClassicFamily = LogisticConfig | RidgeConfig | SvmConfig | ForestConfig | BoostingConfig
