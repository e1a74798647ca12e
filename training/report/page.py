"""The bundle's report: one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from tidecast.bundle import Manifest
from training.evaluate.back_test import BackTest
from training.evaluate.scores import ClassScores, Scores
from training.parity import TOLERANCE, Finding
from training.report.classes import class_section
from training.report.comparison import comparison
from training.report.forecasts import by_lead, fans
from training.report.html import document, heading, paragraph, table, verbatim
from training.report.residuals import residuals

HOW: Final = (
    "Rolling origins through the serving engine: what a worker would have published. MASE: error "
    "of the median over the in-sample error of the seasonal-naive forecast. OWA: mean of sMAPE and "
    "MASE, each over Naive2's. Standardised: by each series' own history. Pinball: mean over all "
    "levels, in the unit of MASE. WQL: pinball over what came true."
)


_COUNTS: Final = ("step", "changed", "counted")


class Section(NamedTuple):
    """One back-test and its scores."""

    test: BackTest
    scores: Scores


def render(manifest: Manifest, sections: Sequence[Section], findings: Sequence[Finding]) -> str:
    """Return the page.

    findings: of the parity gate; none where it was not asked again. The manifest's figure `cleaned`
    is a record for each step of cleaning: `step`, its settings, `changed` so many of `counted`.
    """
    title = f"{manifest.name} {manifest.version}"
    body = [
        heading(1, title) + paragraph(_facts(manifest)),
        heading(2, "Back-tests") + paragraph(HOW),
        *(_section(section) for section in sections),
    ]
    if findings:
        body += [heading(2, "Parity of torch and ONNX Runtime"), _parity(findings)]
    if manifest.figures.get("cleaned"):
        body += [heading(2, "Cleaning"), _cleaning(manifest.figures["cleaned"])]
    return document(title, [*body, heading(2, "Configuration"), _configuration(manifest)])


def _facts(manifest: Manifest) -> str:
    answers = manifest.classes or tuple(map(str, manifest.quantile_levels))
    return (
        f"{manifest.task} of {manifest.target}, context {manifest.context}, horizon "
        f"{manifest.horizon}, state {manifest.state_size}, answers {', '.join(answers)}, "
        f"graph {manifest.graph_bytes:,} bytes, sha256 {manifest.graph_sha256}"
    )


def _section(section: Section) -> str:
    """One back-test's tables and pictures."""
    test, scores = section
    top = heading(3, scores.name) + paragraph(f"{scores.series} series, {scores.origins} origins")
    if isinstance(scores, ClassScores):
        return top + class_section(scores)
    levels = test.manifest.quantile_levels
    body = top + comparison(scores)
    if test.manifest.task == "forecast":
        body += by_lead(scores, levels[-1] - levels[0]) + fans(test)
    return body + residuals(test)


def _parity(findings: Sequence[Finding]) -> str:
    rows = ((found.kind, f"{found.one_step:.1e}", f"{found.carried:.1e}") for found in findings)
    return table(("kind of series", "one step", "500 carried steps"), rows) + paragraph(
        "Worst distance over the larger of the forecast's magnitude and the window's range, "
        f"batches of 1, 7 and 256; at most {TOLERANCE} is allowed."
    )


def _cleaning(records: Sequence[Mapping[str, object]]) -> str:
    """What was done to the data before the model saw them, in this order."""
    rows = (
        (
            str(record["step"]),
            f"{record['changed']} {record['counted']}",
            ", ".join(f"{name} {value}" for name, value in record.items() if name not in _COUNTS),
        )
        for record in records
    )
    return table(("step", "changed", "settings"), rows)


def _configuration(manifest: Manifest) -> str:
    """What the bundle follows from, as its manifest says it."""
    shown = {
        "training": manifest.training,
        "data_sha256": manifest.data_sha256,
        "data_licence": manifest.data_licence,
        "tools": manifest.tools,
    }
    return verbatim(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
