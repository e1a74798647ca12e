"""What a streaming fit minimises: the pinball loss, in units that make series comparable."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

from training.features.window import SMALLEST
from training.models.forecaster import Output

LARGEST_WEIGHT: Final = 60.0
"""Bounds what one origin can weigh: after a jump a window is far wider than its series."""
FAR: Final = 50.0
"""Targets beyond this many spreads are outliers that no forecast could meet."""


class Measure(NamedTuple):
    """How errors are weighed.

    period: of the seasonal-naive errors that are the unit, in slots, as in MASE. relative: how much
    errors relative to the values count beside, as in sMAPE, whose weights are nearly the same.
    """

    levels: tuple[float, ...]
    period: int
    relative: float = 0.0


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


def pinball(output: Output, values: Tensor, origins: Tensor, measure: Measure) -> Tensor:
    """Mean pinball loss over all known targets, a scalar.

    values: [B, T], with at least the horizon after the last of `origins` int64 [N].
    """
    targets = targets_of(output, values, origins)
    known = ~torch.isnan(targets)
    scaled = torch.where(known, targets, torch.zeros(())).clamp(-FAR, FAR)
    error = scaled[..., None] - output.quantiles
    level = torch.tensor(measure.levels)
    loss = torch.maximum(level * error, (level - 1) * error).mean(-1)
    weight = (output.spread / error_unit(values, measure.period)).clamp(max=LARGEST_WEIGHT)
    weight = weight[..., None]
    if measure.relative:
        median = output.quantiles[..., measure.levels.index(0.5)]
        weight = weight + measure.relative * _share(output, scaled, median.detach())
    return (loss * weight * known).sum() / known.sum().clamp(min=1)


def _share(output: Output, targets: Tensor, median: Tensor) -> Tensor:
    """The spread as a part of the mean of target and forecast, both without their signs.

    targets, median: [B, N, horizon] without units. → [B, N, horizon], 0 for windows without spread.
    """
    spread = output.spread[..., None]
    zero = -output.centre[..., None] / spread.clamp(min=SMALLEST)
    size = ((targets - zero).abs() + (median - zero).abs()) / 2
    return (spread > 0) / size.clamp(min=1 / LARGEST_WEIGHT)
