"""ETS and Theta beside a model: at a drawn few of a back-test's answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from training.data.waves import Ints
from training.evaluate.back_test import BackTest
from training.evaluate.baselines import filled
from training.evaluate.metrics import Numbers
from training.evaluate.statistical import Tell, sampled, statistical


class Fitted(NamedTuple):
    """Answers of methods that are fitted anew at each origin.

    rows, places: [P], the series and the number of the origin. forecasts: [P, horizon] by method.
    """

    rows: Ints
    places: Ints
    forecasts: dict[str, Numbers]


def fit_some(test: BackTest, most: int, tell: Tell = lambda *_: None) -> Fitted | None:
    """Fit at no more than `most` of the answers that can be scored, drawn by a fixed seed.

    What comes out depends on the case and the horizon, not on the model: it does for all models
    that answer the same. None where none are asked for, or the model does not forecast.
    """
    if not most or test.manifest.task != "forecast":
        return None
    rows, places = sampled(np.any(~np.isnan(test.judged), axis=2), most)
    pairs = rows, test.case.origins[places]
    values, season = filled(test.target), test.case.seasonality
    return Fitted(rows, places, statistical(values, pairs, test.manifest.horizon, season, tell))
