"""The training loop: batches in, the best weights on validation out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import torch
from torch import Tensor

from tidecast.errors import DataError
from training.batches import Batches
from training.config import Recipe
from training.loss import pinball
from training.models.forecaster import Forecaster

WARM_UP: Final = 0.03
"""Part of the steps in which the learning rate rises to its peak."""


class Progress(NamedTuple):
    """What the loop tells after each step. `validation` is the newest one, NaN before the first."""

    step: int
    loss: float
    validation: float
    best: float


class Fit:
    """A fit in progress: model, optimiser, and the best weights so far."""

    def __init__(self, recipe: Recipe, batches: Batches) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.batches = batches
        self.model = Forecaster(recipe.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=recipe.fit.learning_rate,
            weight_decay=recipe.fit.weight_decay,
        )
        self.step = 0
        self.loss = math.nan
        self.validation = math.nan
        self.best = math.inf
        self.best_step = 0
        self.best_weights = self._weights()

    def run(self, tell: Callable[[Progress], None], checkpoint: Path | None = None) -> Forecaster:
        """Train until the steps are done or validation stops improving; return the best model.

        A checkpoint is written after each validation. Raises DataError when none succeeded.
        """
        fit = self.recipe.fit
        patience = fit.patience * fit.validate_every
        while self.step < fit.steps and self.step - self.best_step < patience:
            self._train_step()
            if self.step % fit.validate_every == 0 or self.step == fit.steps:
                self._validate()
                if checkpoint:
                    self.save(checkpoint)
            tell(Progress(self.step, self.loss, self.validation, self.best))
        if not math.isfinite(self.best):
            raise DataError(
                "no validation loss was a number: are there known values to validate on?"
            )
        self.model.load_state_dict(self.best_weights)
        return self.model.eval()

    def save(self, path: Path) -> None:
        """Write the fit, with its recipe, so that `resume` goes on from here."""
        torch.save(
            {
                "recipe": self._origin(),
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "best_weights": self.best_weights,
                "counters": [self.step, self.best_step],
                "losses": [self.validation, self.best],
            },
            path.with_suffix(".part"),
        )
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises DataError when it belongs to another recipe."""
        try:
            saved: dict[str, Any] = torch.load(path, weights_only=True)
        except OSError as error:
            raise DataError(f"no checkpoint at {path}: {error.strerror}") from error
        if saved["recipe"] != self._origin():
            raise DataError(f"{path} belongs to another recipe; delete it to start afresh")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.best_weights = saved["best_weights"]
        self.step, self.best_step = saved["counters"]
        self.validation, self.best = saved["losses"]

    def _origin(self) -> str:
        """All of the recipe that the weights follow from, as JSON."""
        recipe = self.recipe
        parts = (recipe.seed, recipe.seasonality, recipe.data, recipe.model, recipe.fit)
        return msgspec.json.encode(parts).decode()

    def _train_step(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.fit.learning_rate * _schedule(
                self.step, self.recipe.fit.steps
            )
        self.model.train()
        # Another first slot each time, so that every origin gets its turn.
        loss = self._loss(self.batches.train(self.step), self.step % self.recipe.fit.stride)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.fit.clip)
        self.optimizer.step()
        self.step += 1
        self.loss = loss.item()

    def _validate(self) -> None:
        self.model.eval()
        batch = self.recipe.fit.batch
        with torch.no_grad():
            parts = torch.split(self.batches.validation, batch)
            first = max(self.batches.first - 1, 0)
            losses = [self._loss(part, first).item() * len(part) for part in parts]
        self.validation = sum(losses) / len(self.batches.validation)
        if self.validation < self.best:
            self.best, self.best_step = self.validation, self.step
            self.best_weights = self._weights()

    def _loss(self, values: Tensor, first: int) -> Tensor:
        model = self.recipe.model
        origins = torch.arange(first, values.shape[1] - model.horizon, self.recipe.fit.stride)
        output = self.model.sequence(values, origins)
        return pinball(output, values, origins, model.quantile_levels, self.recipe.seasonality)

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}


def _schedule(step: int, steps: int) -> float:
    """Return the learning rate's part of its peak: a linear rise, then half a cosine to zero."""
    rise = (step + 1) / (WARM_UP * steps)
    return min(rise, 0.5 * (1 + math.cos(math.pi * step / steps)))
