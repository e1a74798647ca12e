"""Results of accuracy: one row for each fit, and for each forecaster that was tried zero-shot."""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """How good a model, or a baseline, is; None for what is not measured.

    contest: whose row it is. seed: of the fit; a baseline has none. mse, mae: of standardised
    values. coverage: of the band of 80 %. answers: how many are scored, where not every one of the
    test part. minutes: of the fit and its scores; zero-shot, of the answers.
    """

    contest: str
    data: str
    horizon: int
    model: str
    seed: int | None = None
    mse: float | None = None
    mae: float | None = None
    owa: float | None = None
    mase: float | None = None
    coverage: float | None = None
    answers: int | None = None
    minutes: float | None = None
