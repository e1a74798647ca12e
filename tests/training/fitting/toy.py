"""A small history with everything in it, and every family in a small size."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from tidecast.bundle import Bundle
from training.classic.boosting import BoostingConfig
from training.classic.forest import ForestConfig
from training.classic.logistic import LogisticConfig
from training.classic.ridge import RidgeConfig
from training.classic.svm import SvmConfig
from training.config import EnsembleConfig, FitConfig, Recipe, SingleFamily
from training.data.columns import FileSource
from training.data.table import Table, split
from training.features.front import FeaturesConfig
from training.fitting.family import fit_family
from training.fitting.fitted import Job, Listener
from training.fitting.manifest import manifest_of
from training.models.cnn import CnnConfig
from training.models.linear import DLinearConfig, NLinearConfig
from training.models.mlp import MlpConfig
from training.models.recurrent import GruConfig, LstmConfig, RnnConfig
from training.models.segrnn import SegRnnConfig
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig
from training.models.tcn import TcnConfig
from training.source import History, Provenance
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task

CONTEXT, HORIZON, SLOTS, HOUR_S = 24, 5, 400, 3600
FIRST_S: Final = 1_700_000_400 // HOUR_S * HOUR_S

STREAMING: Final[dict[str, SingleFamily]] = {
    "streaming-gru": StreamingGruConfig(CONTEXT, inputs=6, bands=4, width=16, summary=8, hidden=6),
    "streaming-lstm": StreamingLstmConfig(
        CONTEXT, inputs=6, bands=0, width=16, summary=8, hidden=6, skip="linear", calendar=("day",)
    ),
}
NETS: Final[dict[str, SingleFamily]] = {
    "nlinear": NLinearConfig(CONTEXT),
    "dlinear": DLinearConfig(CONTEXT, smoothing=6),
    "mlp": MlpConfig(CONTEXT, layers=(16, 8)),
    "cnn": CnnConfig(CONTEXT, filters=(8, 16), kernel=3, units=16),
    "tcn": TcnConfig(CONTEXT, filters=8),
    "rnn": RnnConfig(CONTEXT, hidden=8),
    "gru": GruConfig(CONTEXT, hidden=8),
    "lstm": LstmConfig(CONTEXT, hidden=8),
    "segrnn": SegRnnConfig(CONTEXT, segment=5, hidden=8),
}
REGRESSORS: Final[dict[str, SingleFamily]] = {
    "ridge": RidgeConfig(CONTEXT),
    "svm": SvmConfig(CONTEXT, rows=80),
    "forest": ForestConfig(CONTEXT, trees=4, leaves=8),
    "boosting": BoostingConfig(CONTEXT, trees=4),
}
CLASSIFIERS: Final[dict[str, SingleFamily]] = REGRESSORS | {"logistic": LogisticConfig(CONTEXT)}
del CLASSIFIERS["ridge"]

TASKS: Final[dict[str, Task]] = {
    "forecast": ForecastTask("load", HORIZON),
    "regression": RegressionTask("strain", lead=2),
    "classification": ClassificationTask("state", ("calm", "busy", "broken"), lead=1),
}
_BY_TASK: Final = {
    "forecast": STREAMING | NETS | REGRESSORS,
    "regression": NETS | REGRESSORS,
    "classification": NETS | CLASSIFIERS,
}
_ENSEMBLES: Final = {
    name: EnsembleConfig((NETS["mlp"], _BY_TASK[name]["forest"]), "mean") for name in TASKS
}
CASES: Final = [
    (name, task) for task, families in _BY_TASK.items() for name in (*families, "ensemble")
]
"""Every family with every task that it does."""

SILENT: Final = Listener(lambda progress: None, lambda line: None)


def recipe_of(family: str, task: str) -> Recipe:
    """A fit of a few steps."""
    model = _ENSEMBLES[task] if family == "ensemble" else _BY_TASK[task][family]
    return Recipe(
        name=f"{family}-{task}",
        data=FileSource("made by the test"),
        model=model,
        task=TASKS[task],
        features=FeaturesConfig() if family in STREAMING else FeaturesConfig(calendar=("day",)),
        units={"load": "MW"},
        fit=FitConfig(steps=4, batch=8, length=60, validate_every=2, validation_series=2),
    )


def history_of(recipe: Recipe) -> History:
    """Two series of a daily wave: two channels, a label that follows from them, a plan ahead."""
    rng = np.random.default_rng(5)
    clock = np.arange(SLOTS + 1) / 24 * 2 * np.pi
    load = 50 + 10 * np.sin(clock[None] + [[0.0], [2.0]]) + rng.normal(0, 1, (2, SLOTS + 1))
    wind = rng.normal(8, 2, (2, SLOTS + 1))
    values = np.stack((load, wind), -1).astype(np.float32)[:, :-1]
    values[rng.random(values.shape) < 0.03] = np.nan
    told = recipe.task.target != "load"
    strain = np.digitize(load, (47, 56)) if recipe.task.target == "state" else 3 * load + wind
    table = Table(
        ("north", "south"),
        values,
        ("load", "wind"),
        FIRST_S,
        HOUR_S,
        labels=strain.astype(np.float32)[:, :-1] if told else None,
        known=(load > 55).astype(np.float32)[:, 1:, None],
        covariates=("tariff",),
    )
    return History(table, split(table, 0.2, 0.2, HORIZON), Provenance("0" * 64, "none", HOUR_S, {}))


def fitted_bundle(family: str, task: str, folder: Path) -> Bundle:
    """The bundle of that family and task, fitted for a moment."""
    recipe = recipe_of(family, task)
    history = history_of(recipe)
    fitted = fit_family(Job(recipe, history, folder / "fit.checkpoint"), SILENT)
    return Bundle(manifest_of(recipe, history, fitted), fitted.graph)
