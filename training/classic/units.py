"""What a target's numbers are measured by, as part of the graph: the way from units and back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from stream.grid import FloatArray
from training.features.front import Features
from training.features.window import SMALLEST

Units = Callable[[Features], tuple[Tensor, ...]]
"""Centre and spread of the target, each [B, 1, 1]; an empty tuple for a classifier."""


def window_units(channel: int) -> Units:
    """A forecast is measured by the level and spread of its own channel in the window."""
    place = slice(channel, channel + 1)
    return lambda features: (features.centre[:, place, None], features.spread[:, place, None])


def label_units(labels: FloatArray) -> Units:
    """A label is measured by mean and mean absolute deviation of the training rows' labels [N]."""
    centre = float(labels.mean(dtype=np.float64))
    spread = max(float(np.abs(labels - centre).mean(dtype=np.float64)), SMALLEST)

    def units(features: Features) -> tuple[Tensor, ...]:
        # A sum with the window's zeros, since the exporter drops what follows from no input.
        nothing = features.flat[:, :1, None] * 0
        return nothing + centre, nothing + spread

    return units


def no_units(_: Features) -> tuple[Tensor, ...]:
    """A class is a name."""
    return ()
