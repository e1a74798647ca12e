"""ETS and Theta, fitted anew at some origins: they are too slow for every one.

AutoETS chooses error, trend and season by AICc (Hyndman et al., 2002; Hyndman & Khandakar, 2008).
ETS(A,Ad,A) is fixed: a damped trend and a season, both added; where levels wander, AutoETS often
chooses no season, and forecasts far worse than that. Theta is the standard method with M4's
multiplicative season (Assimakopoulos & Nikolopoulos, 2000). All are statsforecast's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from training.data.waves import Ints
from training.evaluate.metrics import Numbers

SEED: Final = 20
SEASONS_FITTED: Final = 40
"""Seasons before an origin that are fitted to: more cost time and change little."""
LEAST_SLOTS_FITTED: Final = 200
FEWEST: Final = 10
"""Values below which nothing is fitted, and the newest one goes on."""
METHODS: Final = ("ETS", "ETS(A,Ad,A)", "Theta")

Tell = Callable[[int, int], None]
"""Is told how many fits are done, and of how many."""


def sampled(candidates: Numbers, most: int) -> tuple[Ints, Ints]:
    """Rows and places of at most `most` answers to compare, evenly likely, in order.

    candidates: bool [series, N], which may be chosen. The choice follows from the seed alone.
    """
    found = np.flatnonzero(candidates)
    if len(found) > most:
        found = np.sort(np.random.default_rng(SEED).choice(found, most, replace=False))
    rows, places = np.divmod(found, candidates.shape[1])
    return rows, places


def statistical(
    values: Numbers,
    pairs: tuple[Ints, Ints],
    horizon: int,
    seasonality: int,
    tell: Tell = lambda *_: None,
) -> dict[str, Numbers]:
    """Forecasts by method, each [P, horizon].

    values: [series, slots] filled, NaN before a series begins. pairs: rows [P] and origins [P].
    """
    rows, origins = pairs
    forecasts: dict[str, Numbers] = {name: np.empty((len(rows), horizon)) for name in METHODS}
    for done, (row, origin) in enumerate(zip(rows, origins, strict=True)):
        tell(done, len(rows))
        history = _history(values[row], origin, seasonality)
        for name, found in forecasts.items():
            found[done] = _forecast(name, history, horizon, seasonality)
    tell(len(rows), len(rows))
    return forecasts


def _history(series: Numbers, origin: int, seasonality: int) -> Numbers:
    length = max(SEASONS_FITTED * seasonality, LEAST_SLOTS_FITTED)
    recent = series[max(origin + 1 - length, 0) : origin + 1]
    known: Numbers = recent[~np.isnan(recent)]
    return known


def _forecast(name: str, history: Numbers, horizon: int, seasonality: int) -> Numbers:
    if len(history) < FEWEST or np.ptp(history) == 0:
        return np.full(horizon, history[-1])
    season = seasonality if len(history) >= 2 * seasonality + FEWEST else 1
    positive = bool((history > 0).all())
    forecast: Numbers = _model(name, season, positive).forecast(y=history, h=horizon)["mean"]
    return forecast


def _model(name: str, season: int, positive: bool) -> Any:  # noqa: ANN401 - the library is untyped
    # Imported here: it takes seconds, and few commands need it.
    from statsforecast.models import AutoETS, Theta

    if name == "Theta":
        return Theta(
            season_length=season, decomposition_type="multiplicative" if positive else "additive"
        )
    if name == "ETS":
        return AutoETS(season_length=season)
    return AutoETS(season_length=season, model="AAA" if season > 1 else "AAN", damped=True)
