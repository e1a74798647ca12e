"""The trials of a search as one HTML page: a table, and pictures of where small figures lie."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from training.report import html
from training.report.pictures import INK, OTHERS, QUIET, row_of_axes, titled, to_svg
from training.tuning.search import SearchConfig
from training.tuning.space import Dimension
from training.tuning.trials import Tried

A_ROW: Final = 3
"""Pictures beside each other."""
HOW: Final = (
    "Figure: of the validation part, back-tested through the serving engine; forecasts: mean "
    "pinball loss in the unit of MASE, regressions: pinball loss, classifiers: log loss. Smaller "
    "is better. Nothing here has seen the test part."
)


def write_search_page(path: Path, name: str, search: SearchConfig, trials: Sequence[Tried]) -> Path:
    """Write the page and return its path. Raises DataError when the disk refuses."""
    title = f"Search of {name}"
    done = [trial for trial in trials if trial.outcome.figure is not None]
    body = [html.heading(1, title), html.paragraph(HOW)]
    if done:
        body += [_course(done), html.heading(2, "By setting"), *_by_setting(search, done)]
    body += [html.heading(2, "Trials, best first"), _table(search, trials)]
    html.write_page(path, html.document(title, body))
    return path


def _course(done: Sequence[Tried]) -> str:
    """Figures in the order of the trials, and the best one so far."""
    figure, (axes,) = row_of_axes(1)
    numbers, figures = [one.number for one in done], _figures(done)
    axes.plot(numbers, figures, "o", color=QUIET, markersize=3)
    axes.step(numbers, list(accumulate(figures, min)), where="post", color=INK)
    titled(axes, "figure by trial, and the best so far")
    return to_svg(figure)


def _by_setting(search: SearchConfig, done: Sequence[Tried]) -> list[str]:
    pictures = []
    paths = list(search.space)
    for first in range(0, len(paths), A_ROW):
        figure, row = row_of_axes(A_ROW)
        for axes, path in zip(row, paths[first : first + A_ROW], strict=False):
            _against(axes, search.space[path], [one.settings[path] for one in done], done)
            titled(axes, path)
        for axes in row[len(paths) - first :]:
            axes.set_axis_off()
        pictures.append(to_svg(figure))
    return pictures


def _against(
    axes: Axes, dimension: Dimension, values: Sequence[Any], done: Sequence[Tried]
) -> None:
    places = [_place(dimension, value) for value in values]
    best = int(np.argmin(_figures(done)))
    axes.plot(places, _figures(done), "o", color=QUIET, markersize=3)
    axes.plot([places[best]], [_figures(done)[best]], "o", color=OTHERS[1], markersize=5)
    if dimension.choices:
        axes.set_xticks(range(len(dimension.choices)), [_short(one) for one in dimension.choices])
    elif dimension.log:
        axes.set_xscale("log")


def _place(dimension: Dimension, value: Any) -> float:  # noqa: ANN401 - whatever TOML holds
    return float(dimension.choices.index(value) if dimension.choices else value)


def _figures(done: Sequence[Tried]) -> list[float]:
    return [one.outcome.figure for one in done if one.outcome.figure is not None]


def _table(search: SearchConfig, trials: Sequence[Tried]) -> str:
    head = ("trial", "figure", *search.space, "seconds", "")
    order = sorted(trials, key=lambda one: (one.outcome.figure is None, one.outcome.figure or 0.0))
    return html.table(head, ([*_cells(search, trial)] for trial in order))


def _cells(search: SearchConfig, trial: Tried) -> list[str]:
    outcome = trial.outcome
    said = "" if outcome.state == "done" else outcome.message or outcome.state
    settings = (_short(trial.settings.get(path, "")) for path in search.space)
    return [
        str(trial.number),
        html.number(outcome.figure, ".5g"),
        *settings,
        f"{outcome.seconds:.1f}",
        said,
    ]


def _short(value: Any) -> str:  # noqa: ANN401 - whatever TOML holds
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
