"""The figure by which all families are compared, and all choices made.

A fitted model is back-tested through the serving engine on the validation part. Forecasts: mean
pinball loss in the unit of MASE (`scaled_pinball`); regressions: pinball loss; classifiers: log
loss. Smaller is better. Nothing of the test part is in what the model is given.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import Bundle
from tidecast.errors import DataError, SettingsError
from training.config import Recipe
from training.data.folds import FoldRule
from training.data.places import evenly
from training.data.synthetic import draw
from training.evaluate.back_test import BackTest, back_test
from training.evaluate.case import Case, unnamed_table
from training.evaluate.classification import classify
from training.evaluate.metrics import measure, scale_of
from training.fitting.family import fit_family
from training.fitting.fitted import Job, Listener
from training.fitting.manifest import manifest_of
from training.source import TEST_HISTORY, TEST_SLOTS, Endless, Source
from training.tasks.task import horizon_of, leads_of

ORIGINS: Final = 200
"""Origins of the validation part that are answered unless more, or fewer, are asked for."""
DRAWN_SERIES: Final = 128
DRAWN_SEED: Final = (0, 3)
"""Of the series that models of synthetic data are compared on, whatever a recipe's own seed: no
fit draws from it.
"""


class Validated(NamedTuple):
    """A fitted model and its figure; smaller is better."""

    bundle: Bundle
    figure: float


def fit_and_validate(job: Job, origins: int, listener: Listener) -> Validated:
    """Fit a recipe and measure it on at most so many origins of its validation part.

    Raises DataError, SettingsError or BundleError as `fit_family` does, and DataError when nothing
    of the validation part is known.
    """
    fitted = fit_family(job, listener)
    bundle = Bundle(manifest_of(job.recipe, job.source, fitted), fitted.graph)
    return Validated(bundle, validation_figure(bundle, job.recipe, job.source, origins))


def validation_figure(bundle: Bundle, recipe: Recipe, source: Source, origins: int) -> float:
    """See the module. Raises DataError when nothing of the validation part is known."""
    test = back_test(OnnxPredictor(bundle), validation_case(recipe, source, origins))
    figure = _figure(test)
    if figure is None or not math.isfinite(figure):
        raise DataError(
            "the validation part gives no figure: its targets are missing, or the series repeat "
            "themselves season by season; give it more slots, or set another seasonality"
        )
    return figure


def validation_case(recipe: Recipe, source: Source, origins: int) -> Case:
    """At most so many origins of the validation part, spread evenly; its table ends with it."""
    if isinstance(source, Endless):
        drawn = unnamed_table(draw(source.mixture, DRAWN_SEED, DRAWN_SERIES, TEST_SLOTS))
        places = np.arange(TEST_HISTORY, TEST_SLOTS - horizon_of(recipe.task))
        taken = places[evenly(len(places), origins)]
        return Case("validation part", drawn, taken, TEST_HISTORY, recipe.seasonality)
    return source.validation(recipe, origins)


def folds_of(source: Source, recipe: Recipe, rule: FoldRule | None) -> list[Source]:
    """The source once for each fold, or as it is; none of them reaches into the test part.

    Raises SettingsError for series without end, DataError when a fold cannot hold one forecast.
    """
    if rule is None:
        return [source]
    if isinstance(source, Endless):
        raise SettingsError("synthetic series have no time to fold; leave `folds` out")
    cuts = rule.folds_of(source.cut, int(leads_of(recipe.task)[-1]))
    return [source._replace(cut=cut) for cut in cuts]


def _figure(test: BackTest) -> float | None:
    manifest, case = test.manifest, test.case
    actual = np.where(test.run.answered[..., None], test.actual, np.nan)
    if manifest.classes:
        return classify(actual, test.run.answers, manifest.classes).log_loss
    scale = scale_of(test.target[:, : case.history], case.seasonality)
    found = measure(actual, test.run.answers, manifest.quantile_levels, scale)
    return found.scaled_pinball if manifest.task == "forecast" else found.pinball
