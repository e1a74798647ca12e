"""A profile as one HTML page with pictures, which needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console

from stream.grid import BoolArray
from training.data.columns import FileSource
from training.data.files import classes_of, read_files
from training.data.places import evenly
from training.data.table import Table
from training.data.waves import Floats
from training.profile.facts import Profile, profile
from training.profile.seasons import SERIES_LOOKED_AT, autocorrelation
from training.profile.text import (
    CHANNEL_HEAD,
    Named,
    channel_row,
    explanation,
    facts,
    label_rows,
    show,
)
from training.report import html
from training.report.pictures import INK, QUIET, to_svg

SHOWN: Final = 6
"""Series that are drawn, evenly chosen."""
POINTS: Final = 1000
"""Most points of a curve; longer ones are drawn as the range of each stretch."""
LAGS: Final = 400


def print_profile(source: FileSource, units: dict[str, str], page: Path | None) -> None:
    """Read a source, print its profile, and write the page where one is wanted.

    Raises DataError for what cannot be read, or written.
    """
    classes = classes_of(source, Path())
    loaded = read_files(source, Path(), classes)
    named = Named(Path(source.path).name, units, {n: name for name, n in classes.items()})
    found = profile(loaded)
    show(found, named, Console())
    if page is not None:
        html.write_page(page, render(found, loaded.table, named))


def render(found: Profile, table: Table, named: Named) -> str:
    """Return the page. Memory and size are bounded, whatever the table's."""
    title = f"Profile of {named.title}"
    body = [
        html.heading(1, title),
        html.table(("", ""), facts(found)),
        html.heading(2, "Channels"),
        html.table(CHANNEL_HEAD, (channel_row(one, named, found) for one in found.channels)),
        html.paragraph(explanation()),
    ]
    if found.labels:
        rows = label_rows(found, named)
        body += [html.heading(2, "Label"), html.table(("label", "slots", "share"), rows)]
    body += [html.heading(2, "Where values are missing"), _missing(table)]
    for number, channel in enumerate(table.channels):
        body += [html.heading(2, channel), _channel(table, number)]
    return html.document(title, body)


def stretches(values: Floats) -> tuple[Floats, Floats]:
    """Least and greatest value of each of at most POINTS stretches of [slots]; NaN for none."""
    size = -(-len(values) // POINTS)
    padded = np.pad(values, (0, -len(values) % size), constant_values=np.nan)
    groups = padded.reshape(-1, size)
    return np.fmin.reduce(groups, axis=1), np.fmax.reduce(groups, axis=1)


def _channel(table: Table, number: int) -> str:
    """Series, distribution and autocorrelation of one channel."""
    values = table.values[..., number]
    rows = evenly(len(values), SHOWN)
    figure = Figure(figsize=(11, 1.1 * len(rows) + 2.4), layout="constrained")
    grid = figure.add_gridspec(len(rows) + 2, 2)
    for place, row in enumerate(rows):
        axes = figure.add_subplot(grid[place, :])
        _curve(axes, values[row])
        axes.set_title(table.names[row], fontsize=8)
    _distribution(figure.add_subplot(grid[len(rows) :, 0]), values)
    _correlation(figure.add_subplot(grid[len(rows) :, 1]), values)
    return to_svg(figure)


def _curve(axes: Axes, series: Floats) -> None:
    known = np.flatnonzero(~np.isnan(series))
    begin, end = (int(known[0]), int(known[-1]) + 1) if known.size else (0, len(series))
    low, high = stretches(series[begin:end])
    at = begin + np.arange(len(low)) * -(-(end - begin) // POINTS)
    axes.fill_between(at, low, high, color=INK, linewidth=0.7)
    axes.tick_params(labelsize=7)


def _distribution(axes: Axes, values: Floats) -> None:
    known = values[~np.isnan(values)]
    if known.size:
        # Counted here in double precision: the range of large values may overflow.
        counts, edges = np.histogram(known.astype(np.float64), bins=60)
        axes.stairs(counts, edges, fill=True, color=INK)
    axes.set_yscale("symlog")
    axes.set_title("how often which value", fontsize=9)
    axes.tick_params(labelsize=7)


def _correlation(axes: Axes, values: Floats) -> None:
    lags = min(LAGS, max((values.shape[1] - 1) // 3, 1))
    looked_at = values[evenly(len(values), SERIES_LOOKED_AT)]
    axes.axhline(0, color=QUIET, linewidth=0.8)
    axes.plot(np.arange(lags + 1), autocorrelation(looked_at, lags), color=INK, linewidth=1)
    axes.set_title("autocorrelation of the changes, by slots", fontsize=9)
    axes.tick_params(labelsize=7)


def _missing(table: Table) -> str:
    """Series by time, dark where values are missing."""
    gone: BoolArray = np.any(np.isnan(table.values), axis=2)
    rows = evenly(len(gone), 100)
    size = -(-gone.shape[1] // 500)
    padded = np.pad(gone[rows].astype(np.float32), ((0, 0), (0, -gone.shape[1] % size)))
    share = padded.reshape(len(rows), -1, size).mean(axis=2)
    figure = Figure(figsize=(11, 0.8 + 0.04 * max(len(rows), 10)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(share, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks([])
    axes.set_xticks([])
    axes.set_xlabel("a line a series, from the first slot to the last; dark: missing", fontsize=8)
    axes.tick_params(labelsize=7)
    return to_svg(figure)
