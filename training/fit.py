"""The training loop: a lesson in, the best weights on validation out."""

from __future__ import annotations

import io
import math
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tidecast.durable import write_durably
from tidecast.errors import DataError
from training.config import FitConfig
from training.lessons import Lesson
from training.practice.averaging import Average
from training.practice.devices import choose_device
from training.practice.precision import Precision
from training.practice.schedules import Moment, set_rate
from training.practice.seeding import random_state, restore_random_state


class Progress(NamedTuple):
    """What the loop tells after each step. `validation` is the newest one, NaN before the first.

    rate: the learning rate of the step.
    """

    step: int
    loss: float
    validation: float
    best: float
    rate: float


class Fit:
    """A fit in progress: model, optimiser, and the best weights so far."""

    def __init__(self, lesson: Lesson, settings: FitConfig, origin: str) -> None:
        """origin: names all that the weights follow from; checkpoints of others are refused."""
        self.lesson = lesson
        self.settings = settings
        self.origin = origin
        device = choose_device(settings.device)
        lesson.model.to(device)
        self._precision = Precision(device, mixed=settings.mixed_precision)
        self._optimiser = settings.optimiser.optimiser(lesson.model)
        self._average = Average(lesson.model, settings.averaging)
        self.step = 0
        self.loss = self.rate = math.nan
        self.validations: list[float] = []
        self.best = math.inf
        self.best_step = 0
        self.best_weights = self._weights()

    def run(
        self,
        tell: Callable[[Progress], None],
        checkpoint: Path | None = None,
        deadline: float = math.inf,
    ) -> None:
        """Train until the steps are done or validation stops improving; leave the best weights in.

        The model is then on the processor. A checkpoint is written after each validation. deadline:
        on the clock of `time.monotonic`; the step during which it passes is validated and is the
        last. Raises DataError when no validation succeeded.
        """
        fit, late = self.settings, False
        while not (late or self.step >= fit.steps or fit.stopping.stops(self.validations)):
            self._train_step()
            late = time.monotonic() >= deadline
            if late or self.step % fit.validate_every == 0 or self.step == fit.steps:
                self._validate()
                if checkpoint:
                    self.save(checkpoint)
            newest = self.validations[-1] if self.validations else math.nan
            tell(Progress(self.step, self.loss, newest, self.best, self.rate))
        if not math.isfinite(self.best):
            raise DataError(
                "no validation loss was a number: are there known values to validate on?"
            )
        self.lesson.model.load_state_dict(self.best_weights)
        self.lesson.model.cpu().eval()

    def save(self, path: Path) -> None:
        """Write the fit, with its origin, so that `resume` goes on from here.

        Raises DataError when the disk refuses; an older checkpoint there stays whole.
        """
        whole = io.BytesIO()
        torch.save(
            {
                "origin": self.origin,
                "model": self.lesson.model.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "average": self._average.values,
                "precision": self._precision.state(),
                "random": random_state(),
                "best_weights": self.best_weights,
                "steps": [self.step, self.best_step],
                "validations": self.validations,
            },
            whole,
        )
        unfinished = path.with_suffix(".part")
        try:
            write_durably(unfinished, whole.getvalue())
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise DataError(
                f"cannot write the checkpoint {path}: {error.strerror}; free some space there, "
                "then go on with --resume from the one before, if there was one"
            ) from error

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises DataError when it is damaged, or of another recipe."""
        try:
            whole = path.read_bytes()
        except OSError as error:
            raise DataError(f"no checkpoint at {path}: {error.strerror}") from error
        if not zipfile.is_zipfile(io.BytesIO(whole)):
            raise DataError(f"{path} is no whole checkpoint; delete it to start afresh")
        saved: dict[str, Any] = torch.load(io.BytesIO(whole), weights_only=True)
        if saved["origin"] != self.origin:
            raise DataError(f"{path} belongs to another recipe; delete it to start afresh")
        self.lesson.model.load_state_dict(saved["model"])
        self._optimiser.load_state_dict(saved["optimiser"])
        self._average.values = saved["average"]
        self._precision.restore(saved["precision"])
        restore_random_state(saved["random"])
        self.best_weights = saved["best_weights"]
        self.step, self.best_step = saved["steps"]
        self.validations = saved["validations"]
        self.best = min(self.validations, default=math.inf)

    def _train_step(self) -> None:
        fit, model = self.settings, self.lesson.model
        moment = Moment(self.step, fit.steps, self.validations)
        self.rate = fit.optimiser.learning_rate * fit.schedule.factor(moment)
        set_rate(self._optimiser, self.rate)
        model.train()
        with self._precision.forward():
            loss = self.lesson.loss(self.step)
            paid = loss + fit.penalty.penalty(model)
        self._precision.step(paid, self._optimiser, fit.clipping)
        self.step += 1
        self._average.take(self.step)
        self.loss = loss.item()

    def _validate(self) -> None:
        self.lesson.model.eval()
        with torch.no_grad(), self._average.instead():
            validation = self.lesson.validation()
            if validation < self.best:
                self.best, self.best_step = validation, self.step
                self.best_weights = self._weights()
        self.validations.append(validation)

    def _weights(self) -> dict[str, Tensor]:
        state = self.lesson.model.state_dict()
        return {name: value.detach().clone() for name, value in state.items()}
