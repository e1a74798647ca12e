"""What a fit minimises: the pinball loss, in a unit that makes series comparable."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from training.features.window import SMALLEST
from training.models.forecaster import Output

LARGEST_WEIGHT: Final = 60.0
"""Bounds what one origin can weigh: after a jump a window is far wider than its series."""
FAR: Final = 50.0
"""Targets beyond this many spreads are outliers that no forecast could meet."""


def error_unit(values: Tensor, period: int) -> Tensor:
    """Return what an error is measured in, per series: [B, 1], in the series' units.

    values: [B, T], NaN = missing. The smaller of the seasonal-naive error at `period` and the mean
    absolute deviation, as MASE has it, yet no less than a hundredth of the deviation, lest
    series without noise outweigh all others.
    """
    deviation = (values - values.nanmean(1, keepdim=True)).abs().nanmean(1, keepdim=True)
    naive = (values[:, period:] - values[:, :-period]).abs().nanmean(1, keepdim=True)
    unit = torch.fmin(naive, deviation).maximum(0.01 * deviation)
    return unit.nan_to_num(0.0).clamp(min=SMALLEST)


def targets_of(output: Output, values: Tensor, origins: Tensor) -> Tensor:
    """What came after each origin, in the unit of the forecasts: [B, N, horizon], NaN = missing.

    values, origins: see `pinball`.
    """
    leads = torch.arange(1, output.quantiles.shape[2] + 1)
    targets = values[:, origins[:, None] + leads]
    spread = output.spread.clamp(min=SMALLEST)
    return (targets - output.centre[..., None]) / spread[..., None]


def pinball(
    output: Output, values: Tensor, origins: Tensor, levels: tuple[float, ...], period: int
) -> Tensor:
    """Mean pinball loss over all known targets, a scalar.

    values: [B, T], with at least the horizon after the last of `origins` int64 [N].
    """
    targets = targets_of(output, values, origins)
    weight = (output.spread / error_unit(values, period)).clamp(max=LARGEST_WEIGHT)
    known = ~torch.isnan(targets)
    scaled = torch.where(known, targets, torch.zeros(())).clamp(-FAR, FAR)
    error = scaled[..., None] - output.quantiles
    level = torch.tensor(levels)
    loss = torch.maximum(level * error, (level - 1) * error).mean(-1)
    return (loss * weight[..., None] * known).sum() / known.sum().clamp(min=1)
