"""Scores of a back-test as a table of text: the model's, and its baselines' below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tidecast.bundle import Manifest

FORECAST: Final = ("mase", "owa", "mae", "smape", "weighted_quantile_loss", "coverage")
REGRESSION: Final = ("r2", "mae", "rmse", "pinball", "coverage", "width")
CLASSIFICATION: Final = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "roc_auc",
    "average_precision",
    "log_loss",
)
EACH_CLASS: Final = ("count", "precision", "recall", "f1", "roc_auc", "average_precision")

Figures = Mapping[str, Any]


def shown(manifest: Manifest) -> str:
    """All back-tests of a bundle, each with a line a forecaster; `-` where a measure has none."""
    tables = {
        "forecast": FORECAST,
        "regression": REGRESSION,
        "classification": CLASSIFICATION,
    }
    measures = tables[manifest.task]
    parts = []
    for name, figures in manifest.figures["back_tests"].items():
        answerers = {manifest.name: figures} | figures["baselines"]
        parts.append(_table(f"{name}: {_asked(figures)}", measures, answerers))
        if "classes" in figures:
            parts.append(_table(f"{manifest.name}, class by class", EACH_CLASS, figures["classes"]))
    return "\n\n".join(parts)


def _asked(figures: Figures) -> str:
    return f"{figures['series']} series, {figures['origins']} origins"


def _table(title: str, measures: Sequence[str], rows: Mapping[str, Figures]) -> str:
    """A title, a header, and a line for each row, in columns as wide as they need."""
    cells = [["", *measures]]
    cells += [
        [name, *(_number(found.get(key)) for key in measures)] for name, found in rows.items()
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.rjust, line, widths)).rstrip() for line in cells]
    return "\n".join([title, *lines])


def _number(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
