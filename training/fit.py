"""The training loop: a lesson in, the best weights on validation out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from tidecast.errors import DataError
from training.config import FitConfig
from training.lessons import Lesson

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

    def __init__(self, lesson: Lesson, settings: FitConfig, origin: str) -> None:
        """origin: names all that the weights follow from; checkpoints of others are refused."""
        self.lesson = lesson
        self.settings = settings
        self.origin = origin
        self.optimizer = torch.optim.AdamW(
            lesson.model.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.step = 0
        self.loss = math.nan
        self.validation = math.nan
        self.best = math.inf
        self.best_step = 0
        self.best_weights = self._weights()

    def run(self, tell: Callable[[Progress], None], checkpoint: Path | None = None) -> None:
        """Train until the steps are done or validation stops improving; leave the best weights in.

        A checkpoint is written after each validation. Raises DataError when none succeeded.
        """
        fit = self.settings
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
        self.lesson.model.load_state_dict(self.best_weights)
        self.lesson.model.eval()

    def save(self, path: Path) -> None:
        """Write the fit, with its origin, so that `resume` goes on from here."""
        torch.save(
            {
                "origin": self.origin,
                "model": self.lesson.model.state_dict(),
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
        if saved["origin"] != self.origin:
            raise DataError(f"{path} belongs to another recipe; delete it to start afresh")
        self.lesson.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.best_weights = saved["best_weights"]
        self.step, self.best_step = saved["counters"]
        self.validation, self.best = saved["losses"]

    def _train_step(self) -> None:
        fit, model = self.settings, self.lesson.model
        for group in self.optimizer.param_groups:
            group["lr"] = fit.learning_rate * _schedule(self.step, fit.steps)
        model.train()
        loss = self.lesson.loss(self.step)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), fit.clip)
        self.optimizer.step()
        self.step += 1
        self.loss = loss.item()

    def _validate(self) -> None:
        self.lesson.model.eval()
        with torch.no_grad():
            self.validation = self.lesson.validation()
        if self.validation < self.best:
            self.best, self.best_step = self.validation, self.step
            self.best_weights = self._weights()

    def _weights(self) -> dict[str, Tensor]:
        state = self.lesson.model.state_dict()
        return {name: value.detach().clone() for name, value in state.items()}


def _schedule(step: int, steps: int) -> float:
    """Return the learning rate's part of its peak: a linear rise, then half a cosine to zero."""
    rise = (step + 1) / (WARM_UP * steps)
    return min(rise, 0.5 * (1 + math.cos(math.pi * step / steps)))
