"""Optimisers and penalties against their formulas, on one small layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.practice.optimisers import (
    AdamConfig,
    AdamWConfig,
    OptimiserConfig,
    PenaltyConfig,
    SgdConfig,
    weights_of,
)


def layer() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(3, 2)


@pytest.mark.parametrize("config", [SgdConfig(0.05), AdamConfig(0.1), AdamWConfig(0.1)])
def test_each_finds_the_line_through_the_points(config: OptimiserConfig) -> None:
    model = layer()
    inputs = torch.randn(50, 3)
    targets = inputs @ torch.tensor([[1.0, -2.0], [0.0, 1.0], [3.0, 0.5]]) + 1
    optimiser = config.optimiser(model)
    for _ in range(300):
        optimiser.zero_grad()
        torch.autograd.backward((model(inputs) - targets).square().mean())
        optimiser.step()
    assert (model(inputs) - targets).abs().max() < 0.1


def test_decay_shrinks_weights_and_leaves_biases() -> None:
    model = layer()
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    optimiser = AdamWConfig(0.1, weight_decay=0.5).optimiser(model)
    torch.autograd.backward(0 * model(torch.ones(1, 3)).sum())
    optimiser.step()
    torch.testing.assert_close(model.weight.detach(), weight * (1 - 0.1 * 0.5))
    assert torch.equal(model.bias.detach(), bias)


def test_penalties_are_sums_over_weights_alone() -> None:
    model = layer()
    weight = model.weight.detach()
    penalty = PenaltyConfig(l1=0.3, l2=0.4).penalty(model)
    assert penalty.item() == pytest.approx(
        0.3 * weight.abs().sum().item() + 0.2 * weight.square().sum().item()
    )
    torch.autograd.backward(penalty)
    assert model.weight.grad is not None
    torch.testing.assert_close(model.weight.grad, 0.3 * weight.sign() + 0.4 * weight)
    assert model.bias.grad is None or not model.bias.grad.any()
    assert PenaltyConfig().penalty(model).item() == 0


def test_weights_are_matrices_and_filters() -> None:
    model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.GRU(4, 5), nn.LayerNorm(5), nn.Linear(5, 1))
    chosen = {id(part) for part in weights_of(model)}
    names = {name for name, part in model.named_parameters() if id(part) in chosen}
    assert names == {"0.weight", "1.weight_ih_l0", "1.weight_hh_l0", "3.weight"}
