"""Running a torch model slot by slot, as the worker runs its graph."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from training.models.forecaster import Forecaster

STEP_S: Final = 5_400
"""Between two slots: no calendar feature stands still for it."""


def times(values: Tensor) -> Tensor:
    """When the slots of `values` [B, T] begin."""
    return (STEP_S * torch.arange(values.shape[1])).expand_as(values)


def carried(model: Forecaster, values: Tensor) -> Tensor:
    """Forecast at every slot of `values` [B, T]. → [B, T, horizon, levels]."""
    context = model.config.context
    padded = torch.cat((torch.full((len(values), context - 1), torch.nan), values), 1)
    state = torch.zeros(len(values), model.state_size)
    forecasts = []
    with torch.no_grad():
        for slot in range(values.shape[1]):
            window = padded[:, slot : slot + context, None]
            forecast, state = model(window, times(values)[:, slot], state)
            forecasts.append(forecast)
    return torch.stack(forecasts, 1)
