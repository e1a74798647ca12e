"""The table of candidates, in the terminal and as an HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from training.auto.candidates import Candidate, best_first
from training.report import html
from training.tuning.page import HOW

HEAD: Final = ("candidate", "family", "settings", "figure", "seconds", "")
STACKED: Final = (
    "Weights of a stacked ensemble are fitted on the validation part as well, so its figure "
    "flatters it a little."
)


def write_auto_page(path: Path, name: str, candidates: Sequence[Candidate]) -> Path:
    """Write the page and return its path. Raises DataError when the disk refuses."""
    title = f"Choice of a model for {name}"
    body = [html.heading(1, title), html.paragraph(HOW), html.table(HEAD, _rows(candidates))]
    if any(one.plan.members for one in candidates):
        body.append(html.paragraph(STACKED))
    html.write_page(path, html.document(title, body))
    return path


def print_candidates(candidates: Sequence[Candidate], console: Console) -> None:
    """Print the table, the best candidate first."""
    shown = Table()
    for head in HEAD:
        shown.add_column(head, overflow="fold")
    for row in _rows(candidates):
        shown.add_row(*row)
    console.print(shown)


def _rows(candidates: Sequence[Candidate]) -> list[tuple[str, ...]]:
    failed = [one for one in candidates if one.figure is None]
    return [_row(one) for one in (*best_first(candidates), *failed)]


def _row(candidate: Candidate) -> tuple[str, ...]:
    plan = candidate.plan
    drawn = (f"{path.removeprefix('model.')} {_short(value)}" for path, value in plan.drawn.items())
    settings = " + ".join(plan.members) or ", ".join(drawn) or _context(candidate)
    figure = html.number(candidate.figure, ".5g")
    return plan.name, plan.family, settings, figure, f"{candidate.seconds:.1f}", candidate.message


def _context(candidate: Candidate) -> str:
    context = candidate.plan.recipe["model"].get("context")
    return "" if context is None else f"context {context}"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
