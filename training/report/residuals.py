"""Pictures of errors: how they are spread, whether they drift, how heavy their tails are."""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from training.evaluate.back_test import BackTest
from training.evaluate.metrics import Numbers, mean_of, scale_of
from training.report.pictures import BAND, INK, QUIET, row_of_axes, titled, to_svg

BARS: Final = 60
STRETCHES: Final = 80
"""Into which time is cut: each origin would make a large picture."""
QUANTILES: Final = np.linspace(0.005, 0.995, 100)


def residuals_of(test: BackTest) -> Numbers:
    """What came true less the median, over the series' deviation: [series, N, horizon].

    NaN where either is not known, or the history never varied.
    """
    levels = np.array(test.manifest.quantile_levels)
    median = test.run.answers[..., int(np.abs(levels - 0.5).argmin())]
    scale = scale_of(test.target[:, : test.case.history], test.case.seasonality)
    left: Numbers = (test.actual - median) / scale.deviation[:, None, None]
    return left


def residuals(test: BackTest) -> str:
    """Draw a histogram, the course over time, and quantiles against those of a normal error."""
    left = residuals_of(test)
    known = left[~np.isnan(left)]
    if known.size == 0:
        return "<p>No series varied in the history: residuals have no scale.</p>"
    figure, (spread, time, quantiles) = row_of_axes(3)
    edge = float(np.quantile(np.abs(known), 0.995)) or 1.0
    spread.hist(np.clip(known, -edge, edge), bins=BARS, color=BAND)
    spread.set_yticks([])
    titled(spread, "residuals, in deviations of the history")
    _over_time(time, left, test.case.origins)
    _against_normal(quantiles, known)
    return to_svg(figure)


def _over_time(axes: Axes, left: Numbers, origins: Numbers) -> None:
    """Mean and middle 80 % of the residuals of each stretch of origins."""
    stretches = np.array_split(np.arange(len(origins)), min(STRETCHES, len(origins)))
    at = [float(origins[stretch].mean()) for stretch in stretches]
    parts = [left[:, stretch].reshape(1, -1) for stretch in stretches]
    known = [part[~np.isnan(part)] for part in parts]
    low, high = (
        [float(np.quantile(part, level)) if part.size else np.nan for part in known]
        for level in (0.1, 0.9)
    )
    axes.fill_between(at, low, high, color=BAND, linewidth=0)
    axes.plot(at, [float(mean_of(part, axis=1)[0]) for part in parts], color=INK)
    axes.axhline(0, color=QUIET, linewidth=0.8)
    titled(axes, "over time (slots): mean and middle 80 %")


def _against_normal(axes: Axes, known: Numbers) -> None:
    deviation = float(known.std()) or 1.0
    normal = [NormalDist(0, deviation).inv_cdf(level) for level in QUANTILES.tolist()]
    axes.plot(normal, normal, color=QUIET, linewidth=0.8)
    axes.plot(normal, np.quantile(known, QUANTILES), color=INK)
    titled(axes, "quantiles against a normal error's")
