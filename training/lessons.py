"""What a fit's loop is given: a model, a loss for each step, and how well it does by now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol, final

import numpy as np
import torch
from torch import Tensor

from training.batches import Batches, Pieces
from training.config import FitConfig
from training.data.augment import AnyAugmentation, augment
from training.data.places import evenly
from training.data.waves import Floats
from training.loss import Measure, pinball, targets_of
from training.models.forecaster import Forecaster, Output
from training.models.model import Model
from training.models.windowed import Windowed
from training.rows import Rows
from training.samples import Samples
from training.tasks.head import QuantileHead

VALIDATED: Final = 20_000
"""Most samples that one validation looks at, spread evenly over all."""
VALIDATED_AT_ONCE: Final = 1024
LONGEST: Final = 10_000
"""Slots through which a state is carried at once: more would take many gigabytes."""


class Scored(NamedTuple):
    """Answers and what came true, without units, on the processor.

    quantiles: [N, horizon, levels]. targets: [N, horizon], NaN = not known.
    """

    quantiles: Tensor
    targets: Tensor


class Lesson(Protocol):
    """One model and what it learns from."""

    @property
    def model(self) -> Model:
        """The model; the loop switches between learning and answering."""
        ...

    def loss(self, step: int) -> Tensor:
        """What `step` is to make smaller, a scalar. The same for the same step, always."""
        ...

    def validation(self) -> float:
        """The loss on the validation part."""
        ...


class ScoredLesson(Lesson, Protocol):
    """A lesson whose parts can be looked at, answer by answer."""

    def scored(self) -> Iterator[Scored]:
        """The validation part's answers; none of a classifier."""
        ...

    def practised(self) -> Iterator[Scored]:
        """Answers about what it learnt from, as far as these tell how sure a model may be."""
        ...


@final
class SequenceLesson:
    """A streaming model learns from pieces of series, its state carried through each of them."""

    def __init__(
        self, model: Forecaster, batches: Batches, fit: FitConfig, seasonality: int
    ) -> None:
        self.model = model
        self._batches = batches
        self._fit = fit
        self._measure = Measure(model.task.quantile_levels, seasonality, fit.relative)

    def loss(self, step: int) -> Tensor:
        """See Lesson."""
        # Another first slot each time, so that every origin gets its turn.
        first = self._fit.warm_up + step % self._fit.stride
        pieces = self._batches.train(step)
        return self._loss(pieces, self._within(pieces, first))

    def validation(self) -> float:
        """See Lesson."""
        losses = [
            self._loss(part, self._first).item() * len(part.values)
            for part in self._parts(self._batches.validation)
        ]
        return sum(losses) / len(self._batches.validation.values)

    def scored(self) -> Iterator[Scored]:
        """See ScoredLesson."""
        return (self._scored(part, self._first) for part in self._parts(self._batches.validation))

    def practised(self) -> Iterator[Scored]:
        """See ScoredLesson. From full windows on; none where no series comes twice."""
        practice = self._batches.practice
        first = max(self._fit.warm_up, self.model.contract.context)
        for part in self._parts(practice) if practice else ():
            for stretch in _stretches(part):
                yield self._scored(stretch, self._within(stretch, first))

    @property
    def _first(self) -> int:
        """The first origin of the validation part."""
        return max(self._batches.first - 1, 0)

    def _within(self, pieces: Pieces, first: int) -> int:
        """`first`, or the last origin: where the history is short, so are its pieces."""
        return min(first, pieces.values.shape[1] - self.model.task.horizon - 1)

    def _parts(self, pieces: Pieces) -> Iterator[Pieces]:
        """As many series at a time as are learnt from."""
        return map(Pieces, *(torch.split(part, self._fit.batch) for part in pieces))

    def _loss(self, pieces: Pieces, first: int) -> Tensor:
        return pinball(*self._answers(pieces, first), self._measure)

    def _scored(self, pieces: Pieces, first: int) -> Scored:
        output, values, origins = self._answers(pieces, first)
        targets = targets_of(output, values, origins)
        return Scored(output.quantiles.flatten(0, 1).cpu(), targets.flatten(0, 1).cpu())

    def _answers(self, pieces: Pieces, first: int) -> tuple[Output, Tensor, Tensor]:
        """Answers from every `stride`th origin on; values [B, T] and origins [N] beside them."""
        values, times = (part.to(device_of(self.model)) for part in pieces)
        last = values.shape[1] - self.model.task.horizon
        origins = torch.arange(first, last, self._fit.stride, device=values.device)
        return self.model.sequence(values, times, origins), values, origins


@final
class WindowLesson:
    """A windowed model learns from samples drawn at random, bent by augmentations."""

    def __init__(
        self,
        model: Windowed,
        learnt: Samples,
        validated: Samples,
        augmentations: Sequence[AnyAugmentation] = (),
        batch: int = FitConfig().batch,
        seed: int = 1,
    ) -> None:
        self.model = model
        self._learnt = learnt
        self._validated = validated
        self._augmentations = augmentations
        self._batch = batch
        self._seed = seed

    def loss(self, step: int) -> Tensor:
        """See Lesson."""
        rng = np.random.default_rng((self._seed, step))
        numbers = rng.integers(0, len(self._learnt), self._batch)

        def bend(stretch: Floats) -> Floats:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            bent: Floats = augment(
                self._augmentations, torch.from_numpy(stretch), generator
            ).numpy()
            return bent

        return self._loss(self._learnt.at(numbers, bend if self._augmentations else None))

    def validation(self) -> float:
        """See Lesson."""
        losses, count = 0.0, 0
        for rows in self._rows():
            losses += self._loss(rows).item() * len(rows.windows)
            count += len(rows.windows)
        return losses / count

    def scored(self) -> Iterator[Scored]:
        """See ScoredLesson."""
        head = self.model.head
        if not isinstance(head, QuantileHead):
            return
        for rows in self._rows():
            given = self._given(rows)
            features = self.model.front(*given[:3])
            quantiles, targets = head.scored(self.model.net(features), features, given[3])
            yield Scored(quantiles.cpu(), targets.cpu())

    def practised(self) -> Iterator[Scored]:
        """See ScoredLesson. None: where the same windows come again and again, a net knows them."""
        return iter(())

    def _rows(self) -> Iterator[Rows]:
        """The validation part, in pieces."""
        numbers = evenly(len(self._validated), VALIDATED)
        for part in np.array_split(numbers, -(-len(numbers) // VALIDATED_AT_ONCE)):
            yield self._validated.at(part)

    def _loss(self, rows: Rows) -> Tensor:
        return self.model.loss(*self._given(rows))

    def _given(self, rows: Rows) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """What the model takes: window, origin, future, targets."""
        device = device_of(self.model)
        return (
            torch.from_numpy(rows.windows).to(device),
            torch.from_numpy(rows.origins).to(device),
            None if rows.future is None else torch.from_numpy(rows.future).to(device),
            torch.from_numpy(rows.targets).to(device),
        )


def _stretches(pieces: Pieces) -> Iterator[Pieces]:
    """One after the other, equally long."""
    slots = pieces.values.shape[1]
    size = math.ceil(slots / math.ceil(slots / LONGEST))
    return map(Pieces, *(torch.split(part, size, dim=1) for part in pieces))


def device_of(model: Model) -> torch.device:
    """Where the model's weights are."""
    return next(model.parameters()).device
