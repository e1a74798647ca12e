"""The report of a lighter bundle: what it saves and what it costs, beside its parent."""

from __future__ import annotations

import msgspec

from tidecast.bundle import Bundle, Manifest
from training.evaluate.scores import ClassScores
from training.lighten.compared import Compared, Pair
from training.lighten.method import name_of
from training.report.classes import class_section
from training.report.comparison import comparison
from training.report.html import document, heading, number, paragraph, table, verbatim
from training.report.pictures import INK, QUIET, row_of_axes, titled, to_svg


def render(manifest: Manifest, parent: Bundle, compared: Compared) -> str:
    """Return the page."""
    title = f"{manifest.name} {manifest.version}"
    how = manifest.training["method"]["how"]
    scores = compared.scores
    rows = pairs(compared)
    body = [
        heading(1, title),
        paragraph(f"Made from {name_of(parent)} by {how}; loss of accuracy {compared.loss:+.2%}."),
        table(("", "before", "after", "after / before"), map(_row, rows.items())),
        paragraph(
            "Microseconds of processor time, median of repeats in turns, one thread; with other "
            "work on the machine only their ratio says something."
        ),
        _picture(rows),
        heading(2, scores.name),
        class_section(scores) if isinstance(scores, ClassScores) else comparison(scores),
        heading(2, "Configuration"),
        verbatim(msgspec.json.format(msgspec.json.encode(manifest.training), indent=2).decode()),
    ]
    return document(title, body)


def pairs(compared: Compared) -> dict[str, Pair]:
    """All that was compared, by what it is called on the page."""
    return {
        compared.measure: compared.score,
        "bytes": compared.size_bytes,
        "bytes, compressed": compared.compressed_bytes,
        **{f"µs a row, batch {batch}": pair for batch, pair in compared.us_per_row.items()},
    }


def _row(item: tuple[str, Pair]) -> tuple[str, str, str, str]:
    name, pair = item
    return name, number(pair.before, ".6g"), number(pair.after, ".6g"), number(pair.ratio, ".3f")


def _picture(rows: dict[str, Pair]) -> str:
    """Bars of what is left of each figure."""
    figure, (axes,) = row_of_axes(1)
    names = list(rows)
    axes.barh(names, [pair.ratio for pair in rows.values()], color=INK)
    axes.axvline(1, color=QUIET, linewidth=0.8)
    axes.invert_yaxis()
    titled(axes, "after / before; less is better")
    return to_svg(figure)
