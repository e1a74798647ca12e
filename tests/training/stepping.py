"""Running a torch model slot by slot, as the worker runs its graph."""

from __future__ import annotations

import torch
from torch import Tensor

from training.models.forecaster import Forecaster


def carried(model: Forecaster, values: Tensor) -> Tensor:
    """Forecast at every slot of `values` [B, T]. → [B, T, horizon, levels]."""
    context = model.config.context
    padded = torch.cat((torch.full((len(values), context - 1), torch.nan), values), 1)
    state = torch.zeros(len(values), model.state_size)
    origin = torch.zeros(len(values), dtype=torch.int64)
    forecasts = []
    with torch.no_grad():
        for slot in range(values.shape[1]):
            window = padded[:, slot : slot + context, None]
            forecast, state = model(window, origin, state)
            forecasts.append(forecast)
    return torch.stack(forecasts, 1)
