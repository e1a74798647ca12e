"""The bundle's report: one HTML page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from tidecast.bundle import Manifest
from training import pictures
from training.data.waves import Floats
from training.evaluate import Scores, Task
from training.parity import TOLERANCE, Finding

STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; color: #222 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
pre { background: #f4f4f4; padding: 1rem; overflow-x: auto } svg { max-width: 100%; height: auto }
"""


class Section(NamedTuple):
    """One back-test: its task, its scores, and its forecasts [series, N, horizon, levels]."""

    task: Task
    scores: Scores
    forecasts: Floats


def render(manifest: Manifest, sections: list[Section], findings: list[Finding]) -> str:
    """Return the page."""
    title = f"{manifest.name} {manifest.version}"
    facts = (
        f"context {manifest.context}, horizon {manifest.horizon}, state {manifest.state_size}, "
        f"levels {', '.join(map(str, manifest.quantile_levels))}, "
        f"graph {manifest.graph_bytes:,} bytes, sha256 {manifest.graph_sha256}"
    )
    body = [
        f"<h1>{html.escape(title)}</h1><p>{html.escape(facts)}</p>",
        "<h2>Back-tests</h2>" + _scores_table(sections),
        "<p>Rolling origins, state carried from slot to slot by ONNX Runtime on the graph of this "
        "bundle. MASE: error of the median over the in-sample error of the seasonal-naive "
        "forecast. Pinball: mean over all levels, same unit. Nothing that is forecast here was "
        "seen in training.</p>",
        *(_section(section, manifest) for section in sections),
        "<h2>Parity of torch and ONNX Runtime</h2>" + _parity_table(findings),
        f"<p>Worst distance over the larger of the forecast's magnitude and the window's range, "
        f"batches of 1, 7 and 256; at most {TOLERANCE} is allowed.</p>",
        "<h2>Configuration</h2>" + _configuration(manifest),
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><body>{''.join(body)}</body></html>\n"
    )


def _section(section: Section, manifest: Manifest) -> str:
    """One back-test's pictures."""
    levels = manifest.quantile_levels
    return (
        f"<h3>{html.escape(section.task.name)}</h3>"
        + pictures.by_lead(section.scores, levels[-1] - levels[0])
        + pictures.fans(section.task, section.forecasts, levels.index(0.5))
    )


def _scores_table(sections: list[Section]) -> str:
    head = (
        "series to forecast",
        "series",
        "origins",
        "MASE",
        "naive",
        "seasonal naive",
        "better by",
        "pinball",
        "coverage",
    )
    return _table(head, (_scores_row(section.task.name, section.scores) for section in sections))


def _scores_row(name: str, scores: Scores) -> tuple[str, ...]:
    return (
        name,
        str(scores.series),
        str(scores.origins),
        f"{scores.mase:.3f}",
        f"{scores.mase_naive:.3f}",
        f"{scores.mase_seasonal_naive:.3f}",
        f"{scores.skill:.1%}",
        f"{scores.pinball:.3f}",
        f"{scores.coverage:.1%}",
    )


def _parity_table(findings: list[Finding]) -> str:
    rows = ((found.kind, f"{found.one_step:.1e}", f"{found.carried:.1e}") for found in findings)
    return _table(("kind of series", "one step", "500 carried steps"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Lay out text cells; the first column is the row's name."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _configuration(manifest: Manifest) -> str:
    """What the bundle follows from, as its manifest says it."""
    shown = {
        "training": manifest.training,
        "data_sha256": manifest.data_sha256,
        "data_licence": manifest.data_licence,
        "tools": manifest.tools,
    }
    text = msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
    return f"<pre>{html.escape(text)}</pre>"
