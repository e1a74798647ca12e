"""Causal normalisation: a window in its own units becomes one without units.

All is measured against the newest known value, so that a large offset costs no digits, and the
spread is a mean absolute deviation: no squares, hence no overflow at 1e30 nor underflow at 1e-20.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

from training.data.waves import Floats

LARGEST: Final = 1e36
"""Values beyond are cut off: sums over a window must stay below float32's 3.4e38."""
SMALLEST: Final = 1e-37
"""Stands in for a spread of zero; float32's normal numbers end at 1.2e-38."""
QUIETEST: Final = 0.01
"""Least spread of the newest slots, as a part of the whole window's."""


class Window(NamedTuple):
    """A normalised window; `...` are the batch axes.

    shape: [..., context] values without units, missing ones filled. newest: [..., 1] in the
    series' units, 0 where missing. seen: [..., 1] is 1 where the newest slot has a value.
    centre, spread: [..., 1] in the series' units. facts: [..., 2] share of known slots, age.
    """

    shape: Tensor
    newest: Tensor
    seen: Tensor
    centre: Tensor
    spread: Tensor
    facts: Tensor


FACTS: Final = 2


def normalise(window: Tensor, context: int, recent: int | None = None) -> Window:
    """Normalise `window` float32 [..., context], oldest first, NaN = missing.

    recent: how many of the newest slots give centre and spread, all by default; all do as well
    where none of these has a value.

    Slots after the newest known value repeat it, other missing ones take the mean. A window
    without variation has spread 0; one without values has centre 0 as well. (`context` is given,
    not read off, so that the exported graph holds a constant in its place.)
    """
    position = torch.arange(1, context + 1, dtype=torch.float32, device=window.device)
    missing = torch.isnan(window)
    known = torch.where(missing, torch.zeros(()), torch.ones(()))
    values = torch.where(missing, torch.zeros(()), window).clamp(-LARGEST, LARGEST)
    place = known * position
    last_place = place.amax(-1, keepdim=True)
    last = (values * (place == last_place).float()).sum(-1, keepdim=True)
    count = known.sum(-1, keepdim=True)
    apart = (values - last) * known
    mean, spread = _moments(apart, known)
    if recent is not None and recent < context:
        near = known * (position > context - recent).float()
        near = torch.where(near.sum(-1, keepdim=True) > 0, near, known)
        mean, near_spread = _moments(apart, near)
        # Quiet of late, yet not before: a spread of zero would make all before it endless.
        spread = torch.maximum(near_spread, QUIETEST * spread)
    off = apart - mean
    filled = known + (position > last_place).float()
    return Window(
        shape=off * filled / spread.clamp(min=SMALLEST),
        newest=values[..., -1:],
        seen=known[..., -1:],
        centre=last + mean,
        spread=spread,
        facts=torch.cat((count / context, 1 - last_place / context), -1),
    )


def _moments(apart: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and mean absolute deviation [..., 1] of the counted ones (1, not 0) of `apart`."""
    share = 1 / counted.sum(-1, keepdim=True).clamp(min=1.0)
    mean = (apart * counted).sum(-1, keepdim=True) * share
    return mean, ((apart - mean).abs() * counted).sum(-1, keepdim=True) * share


def unfold(values: Tensor, context: int) -> Tensor:
    """Return the window at every slot of `values` [B, T], with NaN before the start.

    → [B, T, context].
    """
    before = values.new_full((values.shape[0], context - 1), torch.nan)
    return torch.cat((before, values), 1).unfold(1, context, 1)


def span(values: Floats) -> Floats:
    """The range of each window's values [B, context], missing ones counted as the newest. → [B]."""
    known = values.copy()
    gaps = known != known
    known[gaps] = 0
    filled = known + gaps * known[:, -1:]
    ranged: Floats = filled.max(axis=1) - filled.min(axis=1)
    return ranged
