"""Bars with whiskers from the least value to the most, as SVG. Needs matplotlib (extra `dev`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.pictures import Bars
from training.report.pictures import to_svg

COLOURS: Final = ("#1f4e79", "#6fa8dc", "#e69138", "#93a661", "#999999", "#7d3c5b", "#f2d06b")
"""Blues, orange, green, grey, plum and straw that differ in lightness too; used again from the
first on."""
WHISKERS: Final = "#222222"
WIDTH_IN: Final = 8.0
BAR_IN: Final = 0.24
FRAME_IN: Final = 0.75
"""Height of what is not bars: the axis, its label, a legend."""
THICKNESS: Final = 0.8
"""Of the bars of a label together, where labels are 1 apart."""
ROOM: Final = 0.12
"""Right of the longest whisker, as a share of the axis."""


def draw(panels: Sequence[Bars]) -> str:
    """The charts below each other, as an `<svg>` element on white."""
    heights = [_height_in(panel) for panel in panels]
    figure = Figure(figsize=(WIDTH_IN, sum(heights)), layout="constrained")
    rows = figure.subplots(len(panels), squeeze=False, height_ratios=heights)
    for axes, panel in zip(rows[:, 0], panels, strict=True):
        _draw(axes, panel)
    return to_svg(figure)


def _height_in(panel: Bars) -> float:
    return FRAME_IN + BAR_IN * len(panel.labels) * (len(panel.groups) + 0.5)


def _draw(axes: Axes, panel: Bars) -> None:
    places = np.arange(len(panel.labels))
    thickness = THICKNESS / len(panel.groups)
    for number, (group, spreads) in enumerate(panel.groups.items()):
        median, least, most = np.array(spreads).T
        drawn = axes.barh(
            places + (number - (len(panel.groups) - 1) / 2) * thickness,
            median,
            thickness,
            xerr=np.stack([median - least, most - median]) if (least < most).any() else None,
            color=COLOURS[number % len(COLOURS)],
            ecolor=WHISKERS,
            capsize=2,
            label=group,
            log=panel.log,
        )
        axes.bar_label(drawn, list(map(_text, median)), padding=4, fontsize=8)
    _describe(axes, panel)


def _text(value: float) -> str:
    """Three digits, as far as they are behind the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _describe(axes: Axes, panel: Bars) -> None:
    """Labels, units, limits and legend."""
    axes.set_yticks(np.arange(len(panel.labels)), panel.labels)
    axes.invert_yaxis()  # in the order of the table
    axes.set_xlabel(panel.axis)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.margins(x=ROOM)  # for the labels of the bars
    axes.set_xlim(left=_decade_below(panel) if panel.log else 0)
    axes.spines[["top", "right"]].set_visible(False)
    if len(panel.groups) > 1:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _decade_below(panel: Bars) -> float:
    """The power of ten under the least value, where the bars of a logarithmic axis begin."""
    least = min(value.least for spreads in panel.groups.values() for value in spreads)
    return float(10 ** (math.ceil(math.log10(least)) - 1))
