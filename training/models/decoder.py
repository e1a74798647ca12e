"""From a net's summary of the window to raw numbers, lead by lead where leads differ."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor, nn

from training.features.front import Features, Shape

UNITS: Final = 32
"""Of the net for each lead: it weighs a few known numbers against the summary."""


@final
class Decoder(nn.Module):
    """A linear layer, and a small net over what is known of each lead.

    `size` is a multiple of the horizon: heads want every lead's first number, then every lead's
    second, and so on. Tasks other than forecasting have a horizon of one.
    """

    def __init__(self, summary: int, shape: Shape, size: int) -> None:
        """summary: how many numbers the net makes of a window."""
        super().__init__()
        self.direct = nn.Linear(summary + shape.history, size)
        self.leads = Leads(summary, shape, size // shape.horizon) if shape.ahead else None

    def forward(self, summary: Tensor, features: Features) -> Tensor:
        """summary: [B, summary]. → [B, size]."""
        raw: Tensor = self.direct(torch.cat((summary, features.history), 1))
        return raw if self.leads is None else raw + self.leads(summary, features.ahead)


@final
class Leads(nn.Module):
    """The same two layers for every lead, over the summary and the lead's own features."""

    def __init__(self, summary: int, shape: Shape, numbers: int) -> None:
        super().__init__()
        self.summary = nn.Linear(summary, UNITS)
        self.ahead = nn.Linear(shape.ahead, UNITS, bias=False)
        self.answer = nn.Linear(UNITS, numbers, bias=False)

    def forward(self, summary: Tensor, ahead: Tensor) -> Tensor:
        """summary: [B, summary]. ahead: [B, horizon, ahead]. → [B, numbers · horizon]."""
        hidden = (self.summary(summary)[:, None] + self.ahead(ahead)).relu()
        answers: Tensor = self.answer(hidden)
        return answers.transpose(1, 2).flatten(1)
