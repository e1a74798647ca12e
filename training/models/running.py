"""Running means: what a series' level and spread were before the window began.

Exponentially weighted, with the weights' sum kept so that young series are not pulled to zero.
State, per decay: mean and deviation in the series' units, and the weight, in 0..1.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from training.features.window import LARGEST, SMALLEST, Window

RATES: Final = torch.tensor((1 / 168, 1 / 672))
"""A week and four weeks of hours: the scales that a window of 96 slots cannot show."""
STATE_SIZE: Final = 6
FACTS: Final = 6
TRIVIAL: Final = 1e-5
"""Differences below this part of the level are rounding, not news."""


def step(window: Window, state: Tensor) -> tuple[Tensor, Tensor]:
    """Take in the newest slot. state: [B, STATE_SIZE]. → facts [B, FACTS], the next state."""
    mean, deviation, weight = torch.split(state, STATE_SIZE // 3, -1)
    weight = weight + RATES * (window.seen - weight)
    gain = RATES * window.seen / weight.clamp(min=1e-6)
    mean = mean + gain * (window.newest - mean)
    deviation = deviation + gain * ((window.newest - window.centre).abs() - deviation)
    return _facts(window, mean, deviation, weight), torch.cat((mean, deviation, weight), -1)


def sequence(window: Window) -> Tensor:
    """Return the facts of `step` for every slot of windows with batch axes [B, T]. → [B, T, FACTS].

    Closed form of the recursion: sums with weights (1 - rate)**age, relative to the first known
    value, in float64 since an offset may be far larger than what varies.
    """
    slots = torch.arange(window.seen.shape[1], dtype=torch.float64)
    age = slots[:, None] - slots
    rates = RATES.double()[:, None, None]
    kernel = torch.tril(rates * (1 - rates) ** age.clamp(min=0))

    def total(part: Tensor) -> Tensor:
        known = (part * window.seen).double()
        return torch.einsum("rts,bsc->btr", kernel, known).float()

    level = window.centre.gather(1, window.seen.argmax(1, keepdim=True))
    weight = total(torch.ones_like(window.seen))
    share = 1 / weight.clamp(min=SMALLEST)
    mean = torch.where(weight > 0, level + total(window.newest - level) * share, torch.zeros(()))
    deviation = total((window.newest - window.centre).abs()) * share
    return _facts(window, mean, deviation, weight)


def _facts(window: Window, mean: Tensor, deviation: Tensor, weight: Tensor) -> Tensor:
    """Compare the running means with the window's own, without units."""
    scale = torch.maximum(window.spread, window.centre.abs() * TRIVIAL).clamp(min=SMALLEST)
    drift = ((mean - window.centre) / scale).clamp(-5, 5)
    calm = scale / (scale + deviation.clamp(max=LARGEST))
    return torch.cat((drift, calm, weight), -1)
