"""Scores of a back-test, beside the baselines on the very same origins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stream.forecaster import STATUSES
from tidecast.errors import DataError
from tidecast.messages import Status
from training.evaluate.back_test import BackTest
from training.evaluate.baselines import BASELINES, filled
from training.evaluate.classification import classify
from training.evaluate.fitted import Fitted
from training.evaluate.metrics import Measures, Numbers, Scale, mean_of, measure, scale_of, with_owa
from training.evaluate.scores import MODEL, ClassScores, Comparison, ForecastScores, Scores


class _Ground(NamedTuple):
    """What forecasts are measured on: as `measure` takes it."""

    actual: Numbers
    levels: tuple[float, ...]
    scale: Scale

    def measures(self, answers: dict[str, Numbers]) -> dict[str, Measures]:
        """Measures of forecasters on the same ground, with OWA where Naive2 is one of them."""
        found = {
            name: measure(self.actual, given, self.levels, self.scale)
            for name, given in answers.items()
        }
        naive2 = found.get("Naive2", Measures())
        return {name: with_owa(measures, naive2) for name, measures in found.items()}

    def at_lead(self, lead: int) -> _Ground:
        """One lead, from 0, alone."""
        return self._replace(actual=self.actual[:, :, lead : lead + 1])


def score(test: BackTest, fitted: Fitted | None = None) -> Scores:
    """Score every answer.

    fitted: of `fit_some`, to be compared with the model there. Raises DataError when labels are no
    numbers of the model's classes.
    """
    heads: dict[str, Any] = {
        "name": test.case.name,
        "series": len(test.target),
        "origins": len(test.case.origins),
        "fallbacks": int((test.run.statuses == STATUSES.index(Status.FALLBACK)).sum()),
    }
    if test.manifest.classes:
        return _score_classes(test, heads)
    scale = scale_of(test.target[:, : test.case.history], test.case.seasonality)
    ground = _Ground(test.judged, test.manifest.quantile_levels, scale)
    answers = {MODEL: test.run.answers} | _baselines(test)
    measured = ground.measures(answers)
    return ForecastScores(
        **heads,
        seasonality=test.case.seasonality,
        model=measured.pop(MODEL),
        baselines=measured,
        by_lead=_by_lead(ground, answers),
        sample=None if fitted is None else _sample(ground, answers, fitted),
    )


def _baselines(test: BackTest) -> dict[str, Numbers]:
    """Answers [series, N, horizon, 1] by baseline; a regression has its history's mean alone."""
    case, horizon = test.case, test.manifest.horizon
    if test.manifest.task != "forecast":
        mean = mean_of(test.target[:, : case.history], axis=(0, 1))
        return {"mean of the history": np.broadcast_to(mean, (*test.actual.shape, 1))}
    values = filled(test.target)
    return {
        name: baseline(values, case.origins, horizon, case.seasonality)[..., None]
        for name, baseline in BASELINES.items()
    }


def _by_lead(ground: _Ground, answers: dict[str, Numbers]) -> dict[str, tuple[Measures, ...]]:
    """Measures of each forecaster, lead by lead."""
    leads = [
        ground.at_lead(lead).measures(
            {name: given[:, :, lead : lead + 1] for name, given in answers.items()}
        )
        for lead in range(ground.actual.shape[2])
    ]
    return {name: tuple(at_lead[name] for at_lead in leads) for name in answers}


def _sample(ground: _Ground, answers: dict[str, Numbers], fitted: Fitted) -> Comparison:
    """All forecasters, and those that were fitted anew, on the answers of those."""
    rows, places, forecasts = fitted
    chosen = {name: given[rows, places][:, None] for name, given in answers.items()}
    chosen |= {name: given[:, None, :, None] for name, given in forecasts.items()}
    there = _Ground(ground.actual[rows, places][:, None], ground.levels, ground.scale.of(rows))
    return Comparison(len(rows), there.measures(chosen))


def _score_classes(test: BackTest, heads: dict[str, Any]) -> ClassScores:
    classes = test.manifest.classes
    labels = test.target[~np.isnan(test.target)]
    if not np.isin(labels, np.arange(len(classes))).all():
        raise DataError(
            f"{test.case.name}: labels must be numbers from 0 to {len(classes) - 1}, one for each "
            f"of {', '.join(classes)}"
        )
    past = test.target[:, : test.case.history]
    seen = np.bincount(past[~np.isnan(past)].astype(int), minlength=len(classes))
    prior = np.broadcast_to((seen + 1) / (seen + 1).sum(), test.run.answers.shape)
    return ClassScores(
        **heads,
        model=classify(test.judged, test.run.answers, classes),
        baselines={"shares in the history": classify(test.judged, prior, classes)},
    )
