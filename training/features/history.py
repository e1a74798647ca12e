"""Features of a scaled window: values some slots ago, differences, rolling statistics."""

from __future__ import annotations

from typing import Literal

import msgspec
import torch
from torch import Tensor

from tidecast.bundle import Positive

Statistic = Literal["mean", "deviation", "least", "most"]


class Rolling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statistic over the newest `slots` values."""

    slots: Positive
    statistic: Statistic = "mean"


class HistoryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """lags: values so many slots before the newest. differences: the newest value less that one."""

    lags: tuple[Positive, ...] = ()
    differences: tuple[Positive, ...] = ()
    rolling: tuple[Rolling, ...] = ()

    @property
    def reach(self) -> int:
        """How many slots a window needs at least."""
        back = [1 + lag for lag in (*self.lags, *self.differences)]
        return max([1, *back, *(rolling.slots for rolling in self.rolling)])

    @property
    def size(self) -> int:
        """How many numbers there are for each channel."""
        return len(self.lags) + len(self.differences) + len(self.rolling)


def history(values: Tensor, config: HistoryConfig) -> Tensor:
    """values: [B, context, channels] without gaps. → [B, size · channels]."""
    newest = values[:, -1]
    parts = [values[:, -1 - lag] for lag in config.lags]
    parts += [newest - values[:, -1 - lag] for lag in config.differences]
    parts += [_rolled(values[:, -rolling.slots :], rolling.statistic) for rolling in config.rolling]
    return torch.cat(parts, 1) if parts else newest[:, :0]


def _rolled(values: Tensor, statistic: Statistic) -> Tensor:
    if statistic == "mean":
        return values.mean(1)
    if statistic == "deviation":
        return (values - values.mean(1, keepdim=True)).abs().mean(1)
    return values.amin(1) if statistic == "least" else values.amax(1)
