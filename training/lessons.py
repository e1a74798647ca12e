"""What a fit's loop is given: a model, a loss for each step, and how well it does by now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, final

import numpy as np
import torch
from torch import Tensor

from training.batches import Batches, Pieces
from training.config import FitConfig
from training.data.augment import AnyAugmentation, augment
from training.data.waves import Floats
from training.loss import pinball
from training.models.forecaster import Forecaster
from training.models.model import Model
from training.models.windowed import Windowed
from training.rows import Rows
from training.samples import Samples

VALIDATED: Final = 20_000
"""Most samples that one validation looks at, spread evenly over all."""
VALIDATED_AT_ONCE: Final = 1024


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


@final
class SequenceLesson:
    """A streaming model learns from pieces of series, its state carried through each of them."""

    def __init__(
        self, model: Forecaster, batches: Batches, fit: FitConfig, seasonality: int
    ) -> None:
        self.model = model
        self._batches = batches
        self._fit = fit
        self._seasonality = seasonality

    def loss(self, step: int) -> Tensor:
        """See Lesson."""
        # Another first slot each time, so that every origin gets its turn.
        return self._loss(self._batches.train(step), step % self._fit.stride)

    def validation(self) -> float:
        """See Lesson."""
        values, times = self._batches.validation
        first = max(self._batches.first - 1, 0)
        parts = (torch.split(part, self._fit.batch) for part in (values, times))
        pieces = map(Pieces, *parts)
        losses = [self._loss(part, first).item() * len(part.values) for part in pieces]
        return sum(losses) / len(values)

    def _loss(self, pieces: Pieces, first: int) -> Tensor:
        values, times = (part.to(device_of(self.model)) for part in pieces)
        task = self.model.task
        last = values.shape[1] - task.horizon
        origins = torch.arange(first, last, self._fit.stride, device=values.device)
        output = self.model.sequence(values, times, origins)
        return pinball(output, values, origins, task.quantile_levels, self._seasonality)


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
        numbers = self._validated.evenly(VALIDATED)
        parts = np.array_split(numbers, -(-len(numbers) // VALIDATED_AT_ONCE))
        losses = [self._loss(self._validated.at(part)).item() * len(part) for part in parts]
        return sum(losses) / len(numbers)

    def _loss(self, rows: Rows) -> Tensor:
        device = device_of(self.model)
        return self.model.loss(
            torch.from_numpy(rows.windows).to(device),
            torch.from_numpy(rows.origins).to(device),
            None if rows.future is None else torch.from_numpy(rows.future).to(device),
            torch.from_numpy(rows.targets).to(device),
        )


def device_of(model: Model) -> torch.device:
    """Where the model's weights are."""
    return next(model.parameters()).device
