"""Whether a model can learn from a table at all, said before the fit begins."""

from __future__ import annotations

import numpy as np

from tidecast.errors import DataError
from training.data.table import Split, Table
from training.data.waves import Floats


def check(table: Table, cut: Split) -> None:
    """Raise DataError for data that teach nothing.

    That is: a channel, a covariate or the label that is missing or constant throughout the training
    part, in every series; a static attribute that is the same for all of them.
    """
    history = slice(cut.start, cut.validate)
    for number, channel in enumerate(table.channels):
        _check_varies(table.values[:, history, number], f"channel {channel!r}")
    if table.labels is not None:
        _check_varies(table.labels[:, history], "the label")
    if table.known is None:
        return
    for number, covariate in enumerate(table.covariates):
        known, what = table.known[:, history, number], f"covariate {covariate!r}"
        if covariate in table.static:
            _check_differs(known[:, 0], what)
        else:
            _check_varies(known, what)


def _check_varies(history: Floats, what: str) -> None:
    """history: [series, slots] of the training part."""
    low, high = np.fmin.reduce(history, axis=1), np.fmax.reduce(history, axis=1)
    if np.isnan(low).all():
        raise DataError(
            f"{what} has no value in the training part of any series; leave it out, or begin the "
            "data where its values do"
        )
    if not (high > low).any():
        raise DataError(
            f"{what} is constant in the training part of every series ({np.nanmin(low):g}): there "
            "is nothing to learn; leave it out, or give more history"
        )


def _check_differs(attribute: Floats, what: str) -> None:
    """attribute: [series]."""
    if len(np.unique(attribute[~np.isnan(attribute)])) < 2:
        raise DataError(
            f"{what} is static and the same for every series: it tells none from another; leave it "
            "out, or give series that differ in it"
        )
