"""Tables that put the model beside every baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from training.evaluate.metrics import Measures
from training.evaluate.scores import MODEL, ForecastScores
from training.report.html import number, paragraph, table

HEADS: Final = {
    "mase": "MASE",
    "owa": "OWA",
    "smape": "sMAPE, %",
    "mae": "MAE",
    "rmse": "RMSE",
    "standard_mse": "MSE, standardised",
    "standard_mae": "MAE, standardised",
    "scaled_pinball": "pinball, scaled",
    "weighted_quantile_loss": "WQL",
    "coverage": "coverage",
}


def comparison(scores: ForecastScores) -> str:
    """The model and the baselines at every origin, then on the sample."""
    body = _measures({MODEL: scores.model} | scores.baselines)
    if scores.fallbacks:
        body += paragraph(
            f"The model failed {scores.fallbacks} times; the engine answered in its place."
        )
    if scores.sample is not None:
        body += paragraph(
            f"ETS and Theta are fitted anew at each of {scores.sample.answers} answers, drawn by a "
            "fixed seed; all others are scored on the same ones here."
        )
        body += _measures(scores.sample.measures)
    return body


def _measures(measured: Mapping[str, Measures]) -> str:
    """One row a forecaster; a measure that nobody has is left out."""
    shown = [
        name
        for name in (*HEADS, "r2")
        if any(getattr(found, name) is not None for found in measured.values())
    ]
    rows = (
        (name, *(number(getattr(found, head)) for head in shown))
        for name, found in measured.items()
    )
    return table(("", *(HEADS.get(name, "R²") for name in shown)), rows)
