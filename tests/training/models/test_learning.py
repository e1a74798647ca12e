"""Every windowed family learns: a few steps on a toy problem lower the loss clearly."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.training.models.small import CONTEXT, FAMILIES, HOUR, PLAIN, TASKS
from training.models.assemble import Level, Statistics, windowed_model
from training.models.families import WindowedFamily
from training.practice.clipping import ClippingConfig
from training.practice.optimisers import AdamWConfig
from training.practice.precision import Precision
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.task import Task

ROWS = 64
PERIOD = 12


def waves(task: Task, seed: int) -> tuple[Tensor, Tensor]:
    """Waves of one period at any phase and level, and what the task asks of them."""
    random = torch.Generator().manual_seed(seed)
    phase = 2 * math.pi * torch.rand(ROWS, 1, generator=random)
    level = 100 * torch.rand(ROWS, 1, generator=random)
    angle = phase + 2 * math.pi / PERIOD * torch.arange(CONTEXT + 7)
    values = level + angle.sin()
    window = values[:, :CONTEXT, None]
    if isinstance(task, ForecastTask):
        return window, values[:, CONTEXT:]
    newest = angle[:, CONTEXT - 1]
    if isinstance(task, ClassificationTask):
        return window, (newest.cos() > 0).float() + (newest.sin() > 0.5).float()
    return window, 50 + 9 * newest.cos()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_short_fit_lowers_the_loss_on_windows_it_has_not_seen(
    family: WindowedFamily, task: Task
) -> None:
    torch.manual_seed(6)
    statistics = Statistics(
        ("load",), HOUR, Level((50.0,), (25.0,)), label=Level((50.0,), (6.0,)), counts=(1, 1, 1)
    )
    model = windowed_model(family, PLAIN, task, statistics)
    optimiser = AdamWConfig(1e-2).optimiser(model)
    precision = Precision(torch.device("cpu"), mixed=True)
    origin = torch.zeros(ROWS, dtype=torch.int64)

    def loss(seed: int) -> Tensor:
        window, targets = waves(task, seed)
        return model.loss(window, origin, None, targets)

    with torch.no_grad():
        before = loss(0).item()
    for step in range(1, 61):
        with precision.forward():
            found = loss(step)
        precision.step(found, optimiser, ClippingConfig())
    with torch.no_grad():
        assert loss(0).item() < before / 2
