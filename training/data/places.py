"""Some of many, spread evenly over all of them."""

from __future__ import annotations

import numpy as np

from training.data.waves import Ints


def evenly(count: int, most: int) -> Ints:
    """Places of at most `most` of `count` things, the first and the last among them."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)
