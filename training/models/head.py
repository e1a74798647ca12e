"""Quantiles that cannot cross: a median and positive gaps on both sides of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from training.models.window import LARGEST, Window


def spread_quantiles(median: Tensor, gaps: Sequence[Tensor], middle: int) -> Tensor:
    """Stack levels around the median.

    median: [N, horizon]. gaps: [N, horizon], any sign, for each other level from the lowest to the
    highest. middle: the median's place. → [N, horizon, levels].
    Each level is the one nearer to the median plus or minus a rounded non-negative number, so
    levels rise in float32 too.
    """
    # Softplus by hand: four times as fast in ONNX Runtime as its operator, which is not vectorised.
    parts = [gap.relu() + (1 + (-gap.abs()).exp()).log() for gap in gaps]
    levels = [median]
    for part in reversed(parts[:middle]):
        levels.insert(0, levels[0] - part)
    for part in parts[middle:]:
        levels.append(levels[-1] + part)
    return torch.stack(levels, -1)


def to_units(quantiles: Tensor, window: Window) -> Tensor:
    """Bring `quantiles` [N, horizon, levels] back to the series' units.

    Multiplying by a spread that is not negative, adding one centre and cutting off are each
    monotone in float32, so the levels' order survives.
    """
    scaled = quantiles * window.spread.unsqueeze(-1)
    return (window.centre.unsqueeze(-1) + scaled).clamp(-100 * LARGEST, 100 * LARGEST)
