"""A small model learns what a large one answers, and what came true (Hinton et al., 2015)."""

from __future__ import annotations

from typing import Final, NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from stream.grid import AnyArray
from training.data.waves import Floats, Ints
from training.evaluate.engine_run import Run
from training.lessons import VALIDATED, VALIDATED_AT_ONCE, device_of
from training.models.windowed import Windowed
from training.samples import Samples
from training.tasks.head import FAR

SURE: Final = 1e-7
"""The student's probabilities are at least this before their logarithm is taken."""


class Taught(NamedTuple):
    """Samples that a teacher has answered.

    numbers: [N] of the samples. answers: [N, horizon, width], by the bundle's contract.
    """

    samples: Samples
    numbers: Ints
    answers: Floats


def taught(samples: Samples, run: Run, origins: Ints) -> Taught:
    """Those of the samples whose origin is among `origins`, rising slots that `run` answered."""
    series, slots = samples.places.T
    places = np.searchsorted(origins, slots).clip(max=len(origins) - 1)
    given = (origins[places] == slots) & run.answered[series, places]
    return Taught(samples, np.flatnonzero(given), run.answers[series[given], places[given]])


@final
class DistilLesson:
    """A windowed model learns from a teacher's answers, at samples drawn at random.

    truth: the share of the loss that is the model's own, about what came true.
    """

    def __init__(
        self,
        model: Windowed,
        learnt: Taught,
        validated: Taught,
        batch: int,
        truth: float,
        seed: int,
    ) -> None:
        self.model = model
        self._learnt = learnt
        self._validated = validated
        self._batch = batch
        self._truth = truth
        self._seed = seed

    def loss(self, step: int) -> Tensor:
        """See Lesson."""
        rng = np.random.default_rng((self._seed, step))
        return self._loss(self._learnt, rng.integers(0, len(self._learnt.numbers), self._batch))

    def validation(self) -> float:
        """See Lesson."""
        known = len(self._validated.numbers)
        count = min(known, VALIDATED)
        places: Ints = np.linspace(0, known - 1, count).astype(np.int64)
        parts = np.array_split(places, -(-count // VALIDATED_AT_ONCE))
        losses = [self._loss(self._validated, part).item() * len(part) for part in parts]
        return sum(losses) / count

    def _loss(self, part: Taught, places: Ints) -> Tensor:
        rows, head = part.samples.at(part.numbers[places]), self.model.head
        future = None if rows.future is None else self._here(rows.future)
        inputs = (self._here(rows.windows), self._here(rows.origins), future)
        answer, wanted = self.model(*inputs), self._here(part.answers[places])
        if head.classifies:
            apart = cross_entropy(answer, wanted[:, 0])
        else:
            apart = distance(answer, wanted, self._here(head.unit(rows.windows)))
        own = self.model.loss(*inputs, self._here(rows.targets))
        return (1 - self._truth) * apart + self._truth * own

    def _here(self, array: AnyArray) -> Tensor:
        """An array where the model's weights are."""
        return torch.from_numpy(array).to(device_of(self.model))


def cross_entropy(answer: Tensor, wanted: Tensor) -> Tensor:
    """Of probabilities [B, classes] that a teacher gives, a scalar."""
    return -(wanted * answer.clamp(min=SURE).log()).sum(-1).mean()


def distance(answer: Tensor, wanted: Tensor, unit: Tensor) -> Tensor:
    """Mean distance of quantiles [B, horizon, levels] to a teacher's, in units [B], a scalar.

    A window without variation has a unit of zero and teaches nothing.
    """
    known = (unit > 0).float()
    share = (known / torch.where(unit > 0, unit, 1.0))[:, None, None]
    apart = ((answer - wanted).abs() * share).clamp(max=FAR).mean((1, 2))
    return apart.sum() / known.sum().clamp(min=1)
