"""The window skip: linear maps from the window to the horizon, straight past all hidden layers.

`linear` has one map, which begins as the window's mean: what a data set of like series wants.
`seasonal` has one too, of cycles instead of slots: few weights for a long window, hence little to
overfit (after SparseTSF; Lin et al., 2024).
`mixture` has many. Each begins as a classical forecaster (the last value, the mean, the last cycle
of one period, the mean of all cycles) and is then trained. Copying a cycle keeps sharp shapes that
a hidden state would smooth away; the mixture's weights, chosen anew at every origin, say which to
trust. Its periods are those of the data, or, for series of all kinds, a list of usual ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor, nn

SkipKind = Literal["linear", "mixture", "seasonal"]

PERIODS: Final = (6, 7, 8, 10, 12, 14, 16, 20, 24, 30, 36, 48, 52, 60, 72, 90, 96)
"""Of a mixture that is told none."""
AVERAGED: Final = (7, 12, 24, 48)
"""Those of them that also have maps with the mean over all cycles, a level kept and a trend kept;
periods that a mixture is told all have.
"""


def classical_maps(context: int, horizon: int, periods: Sequence[int] = ()) -> Tensor:
    """Return the maps' first weights, [maps, context, horizon]; window times map is a forecast."""
    averaged = periods or AVERAGED
    mean = torch.full((context, horizon), 1 / context)
    last = torch.zeros(context, horizon)
    last[-1] = 1
    recent = torch.zeros(context, horizon)
    recent[-8:] = 1 / 8
    cycles = [_cycle(context, horizon, p, 1) for p in periods or PERIODS if p <= context]
    cycles += [_cycle(context, horizon, p, context // p) for p in averaged if 2 * p <= context]
    cycles += [_level_kept(context, horizon, p) for p in averaged if p < context]
    cycles += [_trend_kept(context, horizon, p) for p in averaged if 2 * p <= context]
    return torch.stack((mean, last, recent, *cycles))


def _level_kept(context: int, horizon: int, period: int) -> Tensor:
    """Repeat the last cycle, shifted by what the newest value gained on the one a cycle before."""
    weights = _cycle(context, horizon, period, 1)
    weights[-1] += 1
    weights[-1 - period] -= 1
    return weights


def _trend_kept(context: int, horizon: int, period: int) -> Tensor:
    """Repeat the last cycle, with what each of its slots gained on the cycle before once more."""
    last, both = _cycle(context, horizon, period, 1), _cycle(context, horizon, period, 2)
    return 3 * last - 2 * both


def _cycle(context: int, horizon: int, period: int, repeats: int) -> Tensor:
    """Average the newest `repeats` values of the same phase, for each lead."""
    weights = torch.zeros(context, horizon)
    for lead in range(horizon):
        newest = context - period + lead % period
        for back in range(repeats):
            weights[newest - back * period, lead] = 1 / repeats
    return weights


class LinearSkip(nn.Module):
    """One linear map of the window; it asks for no trust."""

    logits = 0

    def __init__(self, context: int, horizon: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((context, horizon), 1 / context))

    def forward(self, shape: Tensor, trust: Tensor) -> Tensor:
        """shape: [N, context]. → [N, horizon]."""
        del trust
        forecast: Tensor = shape @ self.weight
        return forecast


class MixtureSkip(nn.Module):
    """Mix linear maps of the window, by weights that sum to one, at all leads or at each."""

    def __init__(
        self, context: int, horizon: int, periods: Sequence[int], by_lead: bool = False
    ) -> None:
        super().__init__()
        maps = classical_maps(context, horizon, periods)
        self.maps = len(maps)
        self.horizon = horizon
        self.trusted = horizon if by_lead else 1
        self.logits = self.maps * self.trusted
        self.weight = nn.Parameter(maps.permute(1, 0, 2).reshape(context, -1))

    def forward(self, shape: Tensor, trust: Tensor) -> Tensor:
        """shape: [N, context]. trust: [N, logits], lead by lead. → [N, horizon]."""
        forecasts = (shape @ self.weight).reshape(-1, self.maps, self.horizon)
        shares = trust.reshape(-1, self.trusted, self.maps).softmax(-1)
        return (forecasts * shares.transpose(1, 2)).sum(1)


class SeasonalSkip(nn.Module):
    """One linear map from the window's cycles to those ahead, the same for every phase.

    Before it a convolution over one cycle lends each value some of its neighbours.
    """

    logits = 0

    def __init__(self, context: int, horizon: int, period: int) -> None:
        super().__init__()
        self.horizon = horizon
        self.period = period
        self.cycles = context // period
        around = period // 2
        self.smooth = nn.Conv1d(1, 1, 1 + 2 * around, padding=around, bias=False)
        nn.init.zeros_(self.smooth.weight)
        self.weight = nn.Parameter(
            torch.full((-(-horizon // period), self.cycles), 1 / self.cycles)
        )

    def forward(self, shape: Tensor, trust: Tensor) -> Tensor:
        """shape: [N, context]. → [N, horizon]."""
        del trust
        values = shape + self.smooth(shape.unsqueeze(1)).squeeze(1)
        newest = values[:, -self.cycles * self.period :].reshape(-1, self.cycles, self.period)
        ahead: Tensor = self.weight @ newest
        return ahead.flatten(1)[:, : self.horizon]


Skip = LinearSkip | MixtureSkip | SeasonalSkip


def skip_of(
    kind: SkipKind, context: int, horizon: int, periods: Sequence[int], by_lead: bool
) -> Skip:
    """The skip of that kind. periods: see the top; a seasonal one has exactly one.

    by_lead: of a mixture, whether it chooses among its maps for each lead.
    """
    match kind:
        case "linear":
            return LinearSkip(context, horizon)
        case "mixture":
            return MixtureSkip(context, horizon, periods, by_lead)
        case "seasonal":
            return SeasonalSkip(context, horizon, *periods)
