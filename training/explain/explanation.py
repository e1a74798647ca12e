"""All that is told of what a bundle's answers rest on, and for whom they are worse."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from stream.grid import IntArray
from stream.predictor import Predictor
from tidecast.bundle import Manifest
from training.data.places import evenly
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.metrics import Numbers, scale_of
from training.explain.gradients import Attribution, integrated_gradients
from training.explain.groups import Group, groups
from training.explain.inputs import Sampled, sample
from training.explain.permutation import Importance, permutation_importance

ATTRIBUTED: Final = 64
"""Windows whose answers are attributed: each takes thousands of model calls."""
HOUR_S: Final = 3600


class Explanation(NamedTuple):
    """attributed: [P] origins of the attribution's windows, seconds since 1970."""

    manifest: Manifest
    case: Case
    importance: Importance
    attribution: Attribution
    attributed: IntArray
    groups: list[Group]


def explain(predictor: Predictor, case: Case) -> Explanation:
    """Look at the model from all three sides.

    Raises DataError when the case has too few windows, or nothing to score.
    """
    test = back_test(predictor, case)
    sampled = sample(predictor, case)
    past = scale_of(test.target[:, : case.history], case.seasonality)
    unit = np.ones_like(past.deviation) if predictor.manifest.classes else past.deviation
    some = _some(sampled)
    return Explanation(
        manifest=predictor.manifest,
        case=case,
        importance=permutation_importance(predictor, sampled, unit),
        attribution=integrated_gradients(predictor, some.inputs),
        attributed=some.inputs.origins,
        groups=groups(test),
    )


def shares(attribution: Attribution) -> Numbers:
    """Mean share of each slot and channel in what windows are attributed: [context, channels]."""
    apart = np.abs(attribution.window)
    whole = apart.sum(axis=(1, 2)) + np.abs(attribution.state)
    found: Numbers = (apart / np.where(whole > 0, whole, 1)[:, None, None]).mean(axis=0)
    return found


def share_of_state(attribution: Attribution) -> float:
    """Mean share of the state in what windows are attributed."""
    whole = np.abs(attribution.window).sum(axis=(1, 2)) + np.abs(attribution.state)
    return float((np.abs(attribution.state) / np.where(whole > 0, whole, 1)).mean())


def shares_by_hour(explanation: Explanation) -> Numbers:
    """Mean share of the hours of the day (UTC) that a window's slots lie in: [24]."""
    apart = np.abs(explanation.attribution.window).sum(axis=2)
    context = apart.shape[1]
    back = np.arange(1 - context, 1) * explanation.case.table.step_seconds
    hours = (explanation.attributed[:, None] + back) // HOUR_S % 24
    whole = np.maximum(apart.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    by_hour: Numbers = np.bincount(
        hours.ravel(), weights=(apart / whole).ravel(), minlength=24
    ) / len(apart)
    return by_hour


def _some(sampled: Sampled) -> Sampled:
    return sampled.of(evenly(len(sampled), ATTRIBUTED))
