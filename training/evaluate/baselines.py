"""Forecasts that any model must beat, from every origin: no fit, no parameter.

Each takes filled values [series, slots], rising origins [N], the horizon and the seasonality, and
returns [series, N, horizon]. None sees a value after its origin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from training.data.waves import Floats, Ints
from training.evaluate.engine_run import first_known
from training.evaluate.metrics import Numbers
from training.evaluate.naive2 import seasonal_factors

Baseline = Callable[[Numbers, Ints, int, int], Numbers]


def filled(values: Floats) -> Numbers:
    """Values [series, slots] in float64 whose gaps repeat the value before; NaN until then."""
    place = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    newest = np.maximum.accumulate(place, axis=1)
    return np.take_along_axis(values, newest, axis=1).astype(np.float64)


def naive(values: Numbers, origins: Ints, horizon: int, seasonality: int) -> Numbers:
    """The newest value goes on."""
    del seasonality
    return np.repeat(values[:, origins, None], horizon, axis=2)


def seasonal_naive(values: Numbers, origins: Ints, horizon: int, seasonality: int) -> Numbers:
    """The last whole season goes on."""
    leads = np.arange(1, horizon + 1)
    cycle = origins[:, None] - seasonality + 1 + (leads - 1) % seasonality
    found = values[:, np.maximum(cycle, 0)]
    return np.where(cycle >= 0, found, np.nan)


def drift(values: Numbers, origins: Ints, horizon: int, seasonality: int) -> Numbers:
    """The line through the first and the newest value (Hyndman & Athanasopoulos, 2021, 5.2)."""
    del seasonality
    begun = np.minimum(first_known(~np.isnan(values)), values.shape[1] - 1)
    newest = values[:, origins]
    first = values[np.arange(len(values)), begun][:, None]
    slope = (newest - first) / np.maximum(origins - begun[:, None], 1)
    forecasts: Numbers = newest[..., None] + slope[..., None] * np.arange(1, horizon + 1)
    return forecasts


def naive2(values: Numbers, origins: Ints, horizon: int, seasonality: int) -> Numbers:
    """M4's Naive2: the newest value less its season goes on, with the seasons of the slots ahead.

    Seasons are those of the slots up to the first origin; M4 has no other.
    """
    season = seasonal_factors(values[:, : origins[0] + 1], seasonality)
    ahead = (origins[:, None] + np.arange(1, horizon + 1)) % seasonality
    now = season.at(origins % seasonality)
    return season.on(season.off(values[:, origins], now)[..., None], season.at(ahead))


BASELINES: Final[dict[str, Baseline]] = {
    "naive": naive,
    "seasonal naive": seasonal_naive,
    "drift": drift,
    "Naive2": naive2,
}
