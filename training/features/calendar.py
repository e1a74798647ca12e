"""Calendar features, from nothing but the time of the newest slot: part of the exported graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor, nn

Cycle = Literal["day", "week", "year"]

SECONDS: Final[dict[Cycle, int]] = {"day": 86_400, "week": 604_800, "year": 31_556_952}
"""Length of each cycle; a year is the mean one of the Gregorian calendar."""
MONDAY: Final = 4 * 86_400
"""1970-01-01 was a Thursday: weeks are counted from the Monday after it, in UTC."""


class Calendar(nn.Module):
    """Sine and cosine of the place in each cycle, and whether a day is a holiday."""

    def __init__(self, cycles: Sequence[Cycle], holidays: Sequence[int] = ()) -> None:
        """holidays: days since 1970 in UTC."""
        super().__init__()
        self.cycles = tuple(cycles)
        self.knows_holidays = len(holidays) > 0
        self.size = 2 * len(self.cycles) + self.knows_holidays
        self.register_buffer("holidays", torch.tensor(holidays, dtype=torch.int64))
        self.holidays: Tensor

    def forward(self, times: Tensor) -> Tensor:
        """times: int64 [...] seconds since 1970. → [..., size]."""
        parts = []
        for cycle in self.cycles:
            length = SECONDS[cycle]
            # In whole seconds until the last moment: float32 has no room for today's date.
            place = torch.remainder(times - MONDAY, length).float()
            angle = place * (2 * math.pi / length)
            parts += [angle.sin(), angle.cos()]
        if self.knows_holidays:
            days = torch.div(times, SECONDS["day"], rounding_mode="floor")
            parts.append((days[..., None] == self.holidays).any(-1).float())
        return torch.stack(parts, -1) if parts else times.new_zeros((*times.shape, 0)).float()
