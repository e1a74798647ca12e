"""The front of every windowed model: a window and its time in, features of slots and window out.

window ─► scaling ─┬─► values, known ────────┐
origin ─► calendar of each slot ─────────────┼─► slots [B, context, F]
calendar of each slot ahead ──┐    └─► flat  [B, D], with history features
future ─► scaled as it was in training ─┴─► ahead [B, horizon, G]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from training.features.calendar import Calendar, Cycle
from training.features.history import HistoryConfig, history
from training.features.scaling import GlobalScaling, WindowScaling


class FeaturesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model sees beside the values themselves.

    holidays: a country's ISO code, as the `holidays` library knows it.
    """

    scaling: Literal["window", "global"] = "window"
    calendar: tuple[Cycle, ...] = ()
    holidays: str | None = None
    history: HistoryConfig = HistoryConfig()


class Shape(NamedTuple):
    """How many numbers a front makes: of each slot, of the whole window, of each slot ahead.

    channels: how many of a slot's numbers, the first ones, are the channels' values. history: how
    many history features there are.
    """

    context: int
    slot: int
    flat: int
    horizon: int
    ahead: int
    channels: int
    history: int


class Features(NamedTuple):
    """slots: [B, context, slot]. flat: [B, flat]. ahead: [B, horizon, ahead].

    centre, spread: [B, channels] in the series' units. history: [B, history], which `flat` holds
    too, for nets that read the slots.
    """

    slots: Tensor
    flat: Tensor
    ahead: Tensor
    centre: Tensor
    spread: Tensor
    history: Tensor


class Front(nn.Module):
    """Scaling and features, for the graph's own inputs."""

    def __init__(
        self,
        config: FeaturesConfig,
        scaling: WindowScaling | GlobalScaling,
        calendar: Calendar,
        covariates: GlobalScaling | None,
        sizes: tuple[int, int, int, int],
        static: Sequence[bool] = (),
    ) -> None:
        """sizes: context, horizon, channels, seconds of a step. covariates: those known ahead.
        static: which of these never change; what is said of the first slot ahead goes for all.
        """
        super().__init__()
        context, horizon, channels, step_seconds = sizes
        self.known_ahead = 0 if covariates is None else len(covariates.centre)
        """How many covariates there are."""
        self.config = config
        self.scaling = scaling
        self.calendar = calendar
        self.covariates = covariates
        self.register_buffer("back", step_seconds * torch.arange(1 - context, 1))
        self.register_buffer("forth", step_seconds * torch.arange(1, horizon + 1))
        self.has_static = any(static)
        self.register_buffer("static", torch.tensor(static, dtype=torch.bool))
        self.back: Tensor
        self.static: Tensor
        self.forth: Tensor
        slot = 2 * channels + calendar.size
        # Of each covariate the value, and whether there is one.
        ahead = calendar.size + 2 * self.known_ahead
        past = config.history.size * channels
        told_ahead = calendar.knows_holidays + 2 * self.known_ahead
        flat = 2 * channels * context + calendar.size + past + horizon * told_ahead
        self.shape = Shape(context, slot, flat, horizon, ahead, channels, past)

    def forward(self, window: Tensor, origin: Tensor, future: Tensor | None) -> Features:
        """window: [B, context, channels]. origin: int64 [B]. future: [B, horizon, covariates]."""
        scaled = self.scaling(window)
        past = self.calendar(origin[:, None] + self.back)
        slots = torch.cat((scaled.values, scaled.known, past), -1)
        ahead = self.calendar(origin[:, None] + self.forth)
        told = history(scaled.values, self.config.history)
        flat = [scaled.values.flatten(1), scaled.known.flatten(1), past[:, -1], told]
        if self.calendar.knows_holidays:
            # The cycles' places ahead follow from the newest slot's; holidays do not.
            flat.append(ahead[..., -1])
        if self.covariates is not None and future is not None:
            if self.has_static:
                future = torch.where(self.static, future[:, :1], future)
            known = self.covariates(future)
            ahead = torch.cat((ahead, known.values, known.known), -1)
            flat += [known.values.flatten(1), known.known.flatten(1)]
        return Features(slots, torch.cat(flat, 1), ahead, scaled.centre, scaled.spread, told)
