"""A forecast for people: one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tidecast.messages import Forecast

BARS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """A bar per value, from the lowest to the highest."""
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def one_line(forecast: Forecast) -> str:
    """Origin, series, the next step's median and band, the medians of the horizon, the status.

    2026-11-20T10:00:00Z  plant-7/load  41.2 [39.8, 43.1]  ▁▂▄▆█▇▅▃  ok

    Of a classifier the likeliest class and its probability, and a bar for each class:

    2026-11-20T10:00:00Z  plant-7/load  failure 0.871  ▁█  ok
    """
    origin = forecast.origin.isoformat().replace("+00:00", "Z")
    answer, bars = _class(forecast) if forecast.classes else _band(forecast)
    return f"{origin}  {forecast.series_id}  {answer}  {sparkline(bars)}  {forecast.status}"


def _band(forecast: Forecast) -> tuple[str, list[float]]:
    middle = min(range(len(forecast.quantile_levels)), key=lambda i: _off_median(forecast, i))
    medians = forecast.quantiles[middle]
    low, high = forecast.quantiles[0][0], forecast.quantiles[-1][0]
    return f"{medians[0]:.6g} [{low:.6g}, {high:.6g}]", medians


def _class(forecast: Forecast) -> tuple[str, list[float]]:
    probability, name = max(zip(forecast.probabilities, forecast.classes, strict=True))
    return f"{name} {probability:.3g}", forecast.probabilities


def _off_median(forecast: Forecast, index: int) -> float:
    return abs(forecast.quantile_levels[index] - 0.5)
