"""What repeats and distributions come down to."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from stream.grid import AnyArray

PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99_9": 99.9, "max": 100.0}


class Spread(NamedTuple):
    """A figure over repeats of the same measurement."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """The median of at least one value, and how far the others are from it."""
    return Spread(statistics.median(values), min(values), max(values))


def percentiles(values: AnyArray) -> dict[str, float]:
    """The PERCENTILES of values [N]: each the smallest value that so many are not above."""
    found = np.percentile(values, list(PERCENTILES.values()), method="inverted_cdf")
    return dict(zip(PERCENTILES, found.tolist(), strict=True))
