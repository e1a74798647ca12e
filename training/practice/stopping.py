"""Early stopping: when validations have ceased to get better (Prechelt, 1998)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from tidecast.bundle import Positive

Least = Annotated[float, Meta(ge=0.0, lt=1.0)]
"""Part of the best loss so far by which a loss must beat it to count as progress."""


class StoppingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`patience`: validations without progress before a fit stops."""

    patience: Positive = 12
    least_progress: Least = 0.0

    def stops(self, losses: Sequence[float]) -> bool:
        """Say whether a fit with these validation losses, in order, has come to its end."""
        return max(waits(losses, self.least_progress), default=0) >= self.patience


def waits(losses: Sequence[float], least_progress: float) -> Iterator[int]:
    """After each loss, say how many validations have gone by since the last progress.

    A loss that is NaN or infinite is no progress.
    """
    best, since = math.inf, 0
    for loss in losses:
        # Without a best there is no part of it either: infinity times zero is no number.
        margin = abs(best) * least_progress if best < math.inf else 0.0
        best, since = (loss, 0) if loss < best - margin else (best, since + 1)
        yield since
