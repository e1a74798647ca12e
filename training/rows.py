"""Rows of a training set: windows with all that a model may know of them, and what came of them."""

from __future__ import annotations

from typing import NamedTuple

from stream.grid import AnyArray, FloatArray, IntArray
from tidecast.errors import DataError


class Rows(NamedTuple):
    """N windows of any series, in any order.

    windows: [N, context, channels], NaN = missing. origins: [N] seconds since 1970 of the newest
    slots. targets: [N, horizon] of a forecast, in the target's units; [N] of a regression; [N]
    numbers of classes; NaN = not known. future: [N, horizon, covariates], NaN = not known, or None
    for a model without covariates.
    """

    windows: FloatArray
    origins: IntArray
    targets: FloatArray
    future: FloatArray | None = None

    def take(self, chosen: IntArray) -> Rows:
        """The rows of these numbers, in that order."""
        future = None if self.future is None else self.future[chosen]
        return Rows(self.windows[chosen], self.origins[chosen], self.targets[chosen], future)

    @property
    def feed(self) -> dict[str, AnyArray]:
        """What a windowed graph takes, by the names of the contract."""
        given: dict[str, AnyArray | None] = {
            "window": self.windows,
            "origin": self.origins,
            "future": self.future,
        }
        return {name: array for name, array in given.items() if array is not None}


def require_rows(
    rows: Rows, window: tuple[int, int], targets: tuple[int, ...], future: tuple[int, int] | None
) -> None:
    """Raise DataError unless the arrays have these shapes behind their first axis.

    window: context, channels. targets: (horizon,), or () where there is one for each window.
    future: horizon, covariates.
    """
    count = len(rows.windows)
    wanted: dict[str, tuple[AnyArray | None, tuple[int, ...] | None]] = {
        "windows": (rows.windows, (count, *window)),
        "origins": (rows.origins, (count,)),
        "targets": (rows.targets, (count, *targets)),
        "future": (rows.future, None if future is None else (count, *future)),
    }
    for name, (array, shape) in wanted.items():
        found = None if array is None else array.shape
        if found != shape:
            raise DataError(f"{name}: the shape is {found}, the model wants {shape}")
