"""Augmentation of a batch while a model is fitted; never of what it is validated or tested on.

A batch is float32 [B, T, channels], NaN where missing, targets included, so that past and future
are bent alike. Every draw comes from the generator that the caller seeds. After Um et al., ICMI
2017 (jitter, scaling, time warp), Le Guennec et al., ECML/PKDD workshop 2016 (window slicing), and
Zhang et al., ICLR 2018 (mixing).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import msgspec
import torch
from msgspec import Meta
from torch import Generator, Tensor

Probability = Annotated[float, Meta(ge=0.0, le=1.0)]
Strength = Annotated[float, Meta(gt=0.0, le=1.0)]


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """The base of all kinds. probability: with which each series of a batch is changed.

    keeps_pattern: whether exactly the missing values of a batch are missing afterwards.
    """

    keeps_pattern: ClassVar[bool]
    probability: Probability = 0.5

    def apply(self, batch: Tensor, generator: Generator) -> Tensor:
        """The batch [B, T, channels] with some of its series changed; shape and type are kept."""
        if self.probability == 0:
            return batch
        changed = self.change(batch, generator)
        chosen = torch.rand(len(batch), 1, 1, generator=generator) < self.probability
        return torch.where(chosen, changed, batch)

    def change(self, batch: Tensor, generator: Generator) -> Tensor:
        """Change every series."""
        raise NotImplementedError


class Jitter(Augmentation, frozen=True, tag="jitter"):
    """Gaussian noise on each value; strength: its deviation over that of the series' channel."""

    keeps_pattern: ClassVar[bool] = True
    strength: Strength = 0.03

    def change(self, batch: Tensor, generator: Generator) -> Tensor:
        """See `Augmentation.change`."""
        noise = torch.randn(batch.shape, generator=generator)
        _, spread = centre_and_spread(batch)
        return batch + self.strength * spread * noise


class Scaling(Augmentation, frozen=True, tag="scaling"):
    """A factor for each series' channel on its distances from the mean: 1 + Gaussian noise."""

    keeps_pattern: ClassVar[bool] = True
    strength: Strength = 0.1

    def change(self, batch: Tensor, generator: Generator) -> Tensor:
        """See `Augmentation.change`."""
        factors = 1 + self.strength * torch.randn(
            len(batch), 1, batch.shape[2], generator=generator
        )
        centre, _ = centre_and_spread(batch)
        return centre + (batch - centre) * factors


class TimeWarp(Augmentation, frozen=True, tag="time_warp"):
    """Time runs now faster, now slower, by up to the strength, and ends where it did.

    A value between two slots is missing when one of those it lies between is.
    """

    keeps_pattern: ClassVar[bool] = False
    strength: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.2
    knots: Annotated[int, Meta(ge=1, le=100)] = 4
    """How many changes of speed."""

    def change(self, batch: Tensor, generator: Generator) -> Tensor:
        """See `Augmentation.change`."""
        size, slots, _ = batch.shape
        draws = torch.rand(size, 1, self.knots + 2, generator=generator) * 2 - 1
        pace = 1 + self.strength * torch.nn.functional.interpolate(
            draws, max(slots - 1, 1), mode="linear", align_corners=True
        ).squeeze(1)
        passed = torch.cat([torch.zeros(size, 1), pace.cumsum(1)], dim=1)[:, :slots]
        end = passed[:, -1:].clamp(min=1e-6)
        return resampled(batch, passed / end * (slots - 1))


class Slicing(Augmentation, frozen=True, tag="slicing"):
    """A stretch at a random place, of the given share of the slots, drawn out to all of them."""

    keeps_pattern: ClassVar[bool] = False
    share: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.9

    def change(self, batch: Tensor, generator: Generator) -> Tensor:
        """See `Augmentation.change`."""
        size, slots, _ = batch.shape
        start = torch.rand(size, 1, generator=generator) * (1 - self.share)
        places = start + self.share * torch.linspace(0, 1, slots)
        return resampled(batch, places * (slots - 1))


class Mixing(Augmentation, frozen=True, tag="mixing"):
    """Each series and another of the batch as a weighted mean, in the first one's own units.

    The weight of the other is drawn evenly up to `most`. What is missing in one of the two is taken
    from the first: the pattern is that of the first.
    """

    keeps_pattern: ClassVar[bool] = True
    most: Annotated[float, Meta(gt=0.0, le=0.5)] = 0.3

    def change(self, batch: Tensor, generator: Generator) -> Tensor:
        """See `Augmentation.change`."""
        size = len(batch)
        weight = self.most * torch.rand(size, 1, 1, generator=generator)
        centre, spread = centre_and_spread(batch)
        scaled = (batch - centre) / spread
        other = scaled[torch.randperm(size, generator=generator)]
        mixed = torch.where(other.isnan(), scaled, scaled + weight * (other - scaled))
        return centre + mixed * spread


AnyAugmentation = Jitter | Scaling | TimeWarp | Slicing | Mixing


def augment(steps: Sequence[AnyAugmentation], batch: Tensor, generator: Generator) -> Tensor:
    """Apply all of them, one after another."""
    for step in steps:
        batch = step.apply(batch, generator)
    return batch


def centre_and_spread(batch: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the known values: [B, 1, channels]; 0 and 1 where there are none."""
    known = ~batch.isnan()
    count = known.sum(1, keepdim=True).clamp(min=1)
    centre = torch.where(known, batch, 0.0).sum(1, keepdim=True) / count
    square = torch.where(known, batch - centre, 0.0).square().sum(1, keepdim=True) / count
    spread = square.sqrt()
    return centre, torch.where(spread > 0, spread, 1.0)


def resampled(batch: Tensor, places: Tensor) -> Tensor:
    """Values between the slots, by straight lines. places: [B, T], 0 to T - 1."""
    last = batch.shape[1] - 1
    low = places.floor().clamp(0, last).long()
    high = (low + 1).clamp(max=last)
    share = (places - low).clamp(0, 1)[..., None]
    width = (-1, -1, batch.shape[2])
    first = batch.gather(1, low[..., None].expand(width))
    second = batch.gather(1, high[..., None].expand(width))
    # At a slot itself the next one does not count, though it be missing.
    return torch.where(share == 0, first, first * (1 - share) + second * share)
