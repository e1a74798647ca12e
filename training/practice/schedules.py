"""Learning-rate schedules: the part of the peak rate that a step takes.

All are functions of a moment alone, so a resumed fit goes on with the rate it would have had.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from torch.optim import Optimizer

from tidecast.bundle import Positive
from training.practice.stopping import Least, waits

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Moment(NamedTuple):
    """Where a fit stands: `step` of `steps`, from 0 on, and the losses of its validations."""

    step: int
    steps: int
    losses: Sequence[float] = ()


class ConstantSchedule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="constant"
):
    """The peak rate throughout."""

    def factor(self, moment: Moment) -> float:
        """1."""
        del moment
        return 1.0


class CosineSchedule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cosine"
):
    """A linear rise (Goyal et al., 2017), then half a cosine (Loshchilov & Hutter, 2017).

    warm_up: share of the steps that rise. final: the factor at the last step.
    """

    warm_up: Share = 0.03
    final: Share = 0.0

    def factor(self, moment: Moment) -> float:
        """Between `final` and 1."""
        rising = self.warm_up * moment.steps
        if moment.step < rising:
            return min(1.0, (moment.step + 1) / rising)
        return _half_cosine(1.0, self.final, _part(moment.step, rising, moment.steps))


class StepSchedule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="step"
):
    """`times` times, evenly over the steps, the rate is multiplied by `shrink`."""

    times: Positive = 3
    shrink: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.3

    def factor(self, moment: Moment) -> float:
        """A power of `shrink`."""
        done = min(moment.step, moment.steps - 1) * (self.times + 1) // moment.steps
        return math.pow(self.shrink, done)


class OneCycleSchedule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="one-cycle"
):
    """From `first` of the peak up to it and down to `final`, by cosines (Smith & Topin, 2019).

    rise: share of the steps on the way up. The momentum stays as it is.
    """

    rise: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.3
    first: Share = 0.04
    final: Share = 4e-6

    def factor(self, moment: Moment) -> float:
        """Between `final` and 1."""
        peak = self.rise * moment.steps
        if moment.step < peak:
            return _half_cosine(self.first, 1.0, moment.step / peak)
        return _half_cosine(1.0, self.final, _part(moment.step, peak, moment.steps))


class PlateauSchedule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="plateau"
):
    """Each time `patience` validations brought no progress, the rate is multiplied by `shrink`."""

    shrink: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.3
    patience: Positive = 4
    least_progress: Least = 0.0

    def factor(self, moment: Moment) -> float:
        """A power of `shrink`."""
        shrunk = sum(
            since > 0 and since % self.patience == 0
            for since in waits(moment.losses, self.least_progress)
        )
        return math.pow(self.shrink, shrunk)


ScheduleConfig = (
    ConstantSchedule | CosineSchedule | StepSchedule | OneCycleSchedule | PlateauSchedule
)


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Give all groups of parameters the learning rate of the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def _part(step: int, first: float, steps: int) -> float:
    """Return how far `step` is on the way from `first` to the last step, in 0..1."""
    return min(1.0, (step - first) / max(1.0, steps - 1 - first))


def _half_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * part))
