"""Which periods a window shows: amplitudes of learned pairs of filters.

The pairs begin as sine and cosine under a Hann taper. Amplitudes do not depend on the phase,
which a layer of rectified units would have to learn piece by piece.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

SLOWEST: Final = 192.0
FASTEST: Final = 2.2
"""Slots a cycle: from two windows long to just above what a grid can carry."""


class Spectrum(nn.Module):
    """Amplitudes [N, bands] of a window [N, context]."""

    def __init__(self, context: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        # Even in frequency, where a window's resolution is even as well.
        frequency = torch.linspace(1 / SLOWEST, 1 / FASTEST, bands)
        angle = 2 * math.pi * torch.arange(context)[:, None] * frequency
        taper = torch.hann_window(context + 2, periodic=False)[1:-1, None] / math.sqrt(context)
        self.filters = nn.Parameter(torch.cat((angle.sin(), angle.cos()), 1) * taper)

    def forward(self, shape: Tensor) -> Tensor:
        """shape: [N, context] without units."""
        real, imaginary = torch.split(shape @ self.filters, self.bands, -1)
        return (real * real + imaginary * imaginary + 1e-4).sqrt()
