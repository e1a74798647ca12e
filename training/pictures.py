"""The report's pictures, as SVG text that stands inside an HTML page."""

from __future__ import annotations

import io
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.waves import Floats
from training.evaluate import Scores, Task

INK: Final = "#1f4e79"
BAND: Final = "#9dc3e6"
QUIET: Final = "#999999"
SHOWN: Final = 72
"""Slots of the past in a fan chart: three days of hours."""
FANS: Final = 6


def fans(task: Task, forecasts: Floats, middle: int) -> str:
    """Draw forecasts of some series over what came true.

    forecasts: [series, N, horizon, levels]. Series and origins are evenly spaced, not chosen.
    """
    count = min(FANS, len(task.values))
    figure = Figure(figsize=(11, 2.1 * -(-count // 2)), layout="constrained")
    for place, row in enumerate(np.linspace(0, len(task.values) - 1, count).astype(int)):
        axes = figure.add_subplot(-(-count // 2), 2, place + 1)
        number = len(task.origins) * (place + 1) // (count + 1)
        fan(axes, task.values[row], int(task.origins[number]), forecasts[row, number], middle)
        axes.set_title(f"series {row + 1}", fontsize=8)
    return to_svg(figure)


def fan(axes: Axes, series: Floats, origin: int, forecast: Floats, middle: int) -> None:
    """Draw one forecast [horizon, levels] made at slot `origin` of `series` [slots]."""
    horizon = len(forecast)
    leads = np.arange(1, horizon + 1)
    past = np.arange(max(origin - SHOWN, 0), origin + horizon + 1)
    axes.plot(past - origin, series[past], color=QUIET, linewidth=0.9)
    axes.fill_between(leads, forecast[:, 0], forecast[:, -1], color=BAND, linewidth=0)
    axes.plot(leads, forecast[:, middle], color=INK, linewidth=1.2)
    axes.tick_params(labelsize=7)


def by_lead(scores: Scores, nominal: float) -> str:
    """Draw the error and the coverage by lead, beside the baseline and the nominal coverage."""
    leads = np.arange(1, len(scores.mase_by_lead) + 1)
    figure = Figure(figsize=(11, 2.4), layout="constrained")
    error, coverage = figure.subplots(1, 2)
    error.plot(leads, scores.seasonal_naive_by_lead, color=QUIET, label="seasonal naive")
    error.plot(leads, scores.mase_by_lead, color=INK, label="model")
    error.set_title("MASE by lead", fontsize=9)
    error.set_ylim(bottom=0)
    error.legend(fontsize=7, frameon=False)
    coverage.plot(leads, scores.coverage_by_lead, color=INK)
    coverage.axhline(nominal, color=QUIET, linestyle="--")
    coverage.set_title(f"coverage by lead; dashed: {nominal:.0%} wanted", fontsize=9)
    coverage.set_ylim(0, 1)
    for axes in (error, coverage):
        axes.tick_params(labelsize=7)
    return to_svg(figure)


def to_svg(figure: Figure) -> str:
    """Return the figure as an `<svg>` element, without metadata or XML prologue."""
    page = io.StringIO()
    # Letters as text, not as outlines; a fixed salt keeps equal pictures equal.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tidecast"}):
        figure.savefig(
            page, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    text = page.getvalue()
    return text[text.index("<svg") :]
