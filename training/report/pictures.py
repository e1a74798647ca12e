"""What all pictures share: colours, and matplotlib's figures as SVG inside a page."""

from __future__ import annotations

import io
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK: Final = "#1f4e79"
BAND: Final = "#9dc3e6"
QUIET: Final = "#999999"
OTHERS: Final = ("#999999", "#c55a11", "#70ad47", "#bf9000", "#7030a0", "#404040")
"""Lines beside the model's."""
WIDTH: Final = 11.0
"""Inches of a picture across the page."""


def row_of_axes(count: int, height: float = 2.4) -> tuple[Figure, list[Axes]]:
    """A figure with `count` pictures side by side."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = [figure.add_subplot(1, count, place) for place in range(1, count + 1)]
    for one in axes:
        one.tick_params(labelsize=7)
    return figure, axes


def titled(axes: Axes, title: str) -> None:
    """Put a small title above a picture."""
    axes.set_title(title, fontsize=9)


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
