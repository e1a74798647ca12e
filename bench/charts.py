"""Bars with whiskers from the least value to the most, as SVG. Needs matplotlib (extra `dev`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.pictures import Bars
from training.pictures import to_svg

COLOURS: Final = ("#1f4e79", "#6fa8dc", "#e69138", "#93a661", "#999999")
"""Blues, orange, green and grey that differ in lightness too; used again from the first on."""
WHISKERS: Final = "#222222"
WIDTH_IN: Final = 8.0
BAR_IN: Final = 0.24
FRAME_IN: Final = 0.75
"""Height of what is not bars: the axis, its label, a legend."""
THICKNESS: Final = 0.8
"""Of the bars of a label together, where labels are 1 apart."""


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
            xerr=np.stack([median - least, most - median]),
            color=COLOURS[number % len(COLOURS)],
            ecolor=WHISKERS,
            capsize=2,
            label=group,
        )
        axes.bar_label(drawn, list(map(_text, median)), padding=4, fontsize=8)
    _label(axes, panel)


def _text(value: float) -> str:
    """Three digits, as far as they are behind the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _label(axes: Axes, panel: Bars) -> None:
    axes.set_yticks(np.arange(len(panel.labels)), panel.labels)
    axes.invert_yaxis()  # in the order of the table
    axes.set_xlabel(panel.axis)
    if panel.log:
        axes.set_xscale("log")
    else:
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter("{x:,g}")
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    if len(panel.groups) > 1:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
