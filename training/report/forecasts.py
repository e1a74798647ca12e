"""Pictures of forecasts: fans over what came true, and what depends on the lead."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.places import evenly
from training.evaluate.back_test import BackTest
from training.evaluate.metrics import Measures, Numbers
from training.evaluate.scores import MODEL, ForecastScores
from training.report.pictures import (
    BAND,
    INK,
    OTHERS,
    QUIET,
    WIDTH,
    row_of_axes,
    titled,
    to_svg,
)

SHOWN: Final = 72
"""Slots of the past in a fan chart: three days of hours."""
FANS: Final = 6


def fans(test: BackTest) -> str:
    """Draw forecasts of some series; series and origins are evenly spaced, not chosen."""
    count = min(FANS, len(test.target))
    lines = -(-count // 2)
    figure = Figure(figsize=(WIDTH, 2.1 * lines), layout="constrained")
    for place, row in enumerate(evenly(len(test.target), count)):
        axes = figure.add_subplot(lines, 2, place + 1)
        number = len(test.case.origins) * (place + 1) // (count + 1)
        _fan(axes, test, row, number)
        axes.set_title(test.case.table.names[row], fontsize=8)
        axes.tick_params(labelsize=7)
    return to_svg(figure)


def _fan(axes: Axes, test: BackTest, row: int, number: int) -> None:
    """Draw one forecast: the model's levels over the past and what came true."""
    forecast, origin = test.run.answers[row, number], int(test.case.origins[number])
    levels = np.array(test.manifest.quantile_levels)
    leads = np.arange(1, len(forecast) + 1)
    past = np.arange(max(origin - SHOWN, 0), min(origin + len(forecast) + 1, test.target.shape[1]))
    axes.plot(past - origin, test.target[row, past], color=QUIET, linewidth=0.9)
    axes.fill_between(leads, forecast[:, 0], forecast[:, -1], color=BAND, linewidth=0)
    middle = int(np.abs(levels - 0.5).argmin())
    axes.plot(leads, forecast[:, middle], color=INK, linewidth=1.2)


def by_lead(scores: ForecastScores, nominal: float) -> str:
    """Draw error and coverage by lead, beside the baselines and the nominal coverage."""
    figure, (error, coverage) = row_of_axes(2)
    unit = "mae" if scores.model.mase is None else "mase"
    colours = dict(zip(scores.baselines, OTHERS, strict=False))
    for name, measures in scores.by_lead.items():
        line = _line(measures, unit)
        error.plot(np.arange(1, len(line) + 1), line, color=colours.get(name, INK), label=name)
    titled(error, f"{unit.upper()} by lead")
    error.set_ylim(bottom=0)
    error.legend(fontsize=7, frameon=False)
    line = _line(scores.by_lead[MODEL], "coverage")
    coverage.plot(np.arange(1, len(line) + 1), line, color=INK)
    coverage.axhline(nominal, color=QUIET, linestyle="--")
    titled(coverage, f"coverage by lead; dashed: {nominal:.0%} wanted")
    coverage.set_ylim(0, 1)
    return to_svg(figure)


def _line(measures: tuple[Measures, ...], name: str) -> Numbers:
    """One measure by lead, NaN where it could not be taken."""
    return np.array([getattr(at_lead, name) for at_lead in measures], np.float64)
