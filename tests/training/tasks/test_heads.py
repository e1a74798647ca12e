"""Heads of tasks: answers by the contract, losses by the formula."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import pytest
import torch
from torch import Tensor, nn

from training.features.front import Features
from training.tasks.classification import ClassificationHead, ClassificationTask
from training.tasks.forecast import ForecastHead, ForecastTask
from training.tasks.head import Head
from training.tasks.regression import RegressionHead, RegressionTask

FORECAST: Final = ForecastTask(target="b", horizon=4)
CLASSES: Final = ClassificationTask("state", ("none", "failure"), weights="balanced")


def features(rows: int, centre: float = 0.0, spread: float = 1.0) -> Features:
    """Of a window with two channels, the second at the given level."""
    nothing = torch.zeros(rows, 0)
    level = torch.tensor([[-99.0, centre]]).expand(rows, 2)
    width = torch.tensor([[-99.0, spread]]).expand(rows, 2)
    return Features(nothing, nothing, nothing, level, width, nothing)


def learnt(head: Head, given: Features, targets: Tensor, steps: int = 400) -> Tensor:
    """The answers of the best raw numbers, the same for every row."""
    # Not zeros: at that very point a gap's softplus, written with an absolute, has no slope.
    raw = nn.Parameter(torch.full((1, head.size), 0.1))
    optimizer = torch.optim.Adam([raw], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward(head.loss(raw.expand(len(targets), -1), given, targets))
        optimizer.step()
    with torch.no_grad():
        answers: Tensor = head(raw.expand(len(targets), -1), given)
    return answers[0]


def test_a_forecast_learns_the_quantiles_of_each_lead_in_the_target_s_units() -> None:
    draws = torch.linspace(0, 1, 201)[:, None] * torch.tensor([1.0, 2.0, 3.0, 4.0])
    targets = 500 + 10 * draws
    targets[::7, 2] = torch.nan
    found = learnt(ForecastHead(FORECAST, 1), features(201, 500, 10), targets)
    leads, levels = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.1, 0.5, 0.9])
    expected = 500 + 10 * torch.outer(leads, levels)
    torch.testing.assert_close(found, expected, rtol=0, atol=1.0)


def test_levels_never_cross() -> None:
    raw = torch.randn(50, ForecastHead(FORECAST, 1).size) * 10
    found = ForecastHead(FORECAST, 1)(raw, features(50, 1e6, 1e-3))
    assert (found.diff(dim=-1) >= 0).all()


def test_a_regression_learns_the_quantiles_of_its_label() -> None:
    targets = torch.cat((torch.linspace(100, 200, 101), torch.tensor([torch.nan])))
    head = RegressionHead(RegressionTask("price"), 150.0, 25.0)
    found = learnt(head, features(102), targets)
    torch.testing.assert_close(found, torch.tensor([[110.0, 150.0, 190.0]]), rtol=0, atol=3.0)


@pytest.mark.parametrize(("weights", "share"), [("none", 0.1), ("balanced", 0.5)])
def test_a_classifier_learns_the_share_of_each_class(weights: str, share: float) -> None:
    task = msgspec.structs.replace(CLASSES, weights=weights)
    targets = torch.tensor([0.0] * 90 + [1.0] * 10 + [torch.nan] * 5)
    found = learnt(ClassificationHead(task, [90, 10]), features(105), targets)
    assert found.sum().item() == pytest.approx(1)
    assert found[1].item() == pytest.approx(share, abs=0.02)


def test_no_known_target_is_no_loss_and_no_nan() -> None:
    unknown = torch.full((3,), torch.nan)
    for head, targets in (
        (ForecastHead(FORECAST, 1), unknown[:, None].expand(3, 4)),
        (RegressionHead(RegressionTask("price"), 0.0, 0.0), unknown),
        (ClassificationHead(CLASSES, [1, 1]), unknown),
    ):
        assert head.loss(torch.zeros(3, head.size), features(3), targets).item() == 0


def test_an_outlier_weighs_no_more_than_any_other_that_is_far() -> None:
    head = ForecastHead(ForecastTask(horizon=1), 1)
    losses = [
        head.loss(torch.zeros(1, head.size), features(1), torch.tensor([[far]])).item()
        for far in (1e3, 1e30)
    ]
    assert losses[0] == losses[1]
    assert math.isfinite(losses[0])


@pytest.mark.parametrize("levels", [(), (0.1, 0.9), (0.9, 0.5, 0.1), (0.5, 0.5)])
def test_levels_that_cannot_be_built_are_refused(levels: tuple[float, ...]) -> None:
    for task in (ForecastTask, RegressionTask):
        with pytest.raises(ValueError, match="must rise and hold"):
            task("value", quantile_levels=levels)


def test_a_class_has_one_name() -> None:
    with pytest.raises(ValueError, match="repeat"):
        ClassificationTask("state", ("a", "a"))
