"""Whether a model can learn from a table at all, said before the fit begins."""

from __future__ import annotations

import numpy as np

from tidecast.errors import DataError
from training.data.table import Split, Table
from training.data.waves import Floats


def check(table: Table, cut: Split) -> None:
    """Raise DataError for data that no model should be fitted to.

    That is: a channel, or the label, that is missing or constant throughout the training part, in
    every series; and an input that is equal to what is to be told from it.
    """
    history = slice(cut.start, cut.validate)
    for number, channel in enumerate(table.channels):
        _check_varies(table.values[:, history, number], f"channel {channel!r}")
    if table.labels is not None:
        _check_varies(table.labels[:, history], "the label")
        for number, channel in enumerate(table.channels):
            _check_tells_not(table.values[..., number], table.labels, channel, "the label")
    if table.known is None:
        return
    for number, covariate in enumerate(table.covariates):
        known = table.known[..., number]
        if table.labels is not None:
            _check_tells_not(known, table.labels, covariate, "the label")
        for place, channel in enumerate(table.channels):
            _check_tells_not(known, table.values[..., place], covariate, f"channel {channel!r}")


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


def _check_tells_not(told: Floats, wanted: Floats, name: str, what: str) -> None:
    """Refuse an input [series, slots] that is equal to the target wherever both are known."""
    both = ~np.isnan(told) & ~np.isnan(wanted)
    if both.any() and np.array_equal(told[both], wanted[both]):
        raise DataError(
            f"column {name!r} is equal to {what} in every slot: it would tell the answer before "
            "it is known; leave it out"
        )
