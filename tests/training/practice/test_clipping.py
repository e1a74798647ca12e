from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from training.practice.clipping import ClippingConfig

GRADIENTS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3)


def parameters(gradient: list[float]) -> list[nn.Parameter]:
    """Three numbers in two parameters, and a third that no loss reached."""
    parts = [nn.Parameter(torch.zeros(size)) for size in (1, 2, 4)]
    parts[0].grad = torch.tensor(gradient[:1])
    parts[1].grad = torch.tensor(gradient[1:])
    return parts


def gradient_of(parts: list[nn.Parameter]) -> torch.Tensor:
    return torch.cat([part.grad for part in parts if part.grad is not None])


# torch imports a good part of itself in the first call.
@settings(deadline=None)
@given(GRADIENTS)
def test_a_long_gradient_is_shortened_and_keeps_its_direction(gradient: list[float]) -> None:
    parts, whole = parameters(gradient), torch.tensor(gradient)
    norm = ClippingConfig(norm=2.0).clip(parts)
    assert norm == pytest.approx(whole.norm().item(), rel=1e-4)
    shorter = whole * min(1.0, 2.0 / max(norm, 1e-30))
    torch.testing.assert_close(gradient_of(parts), shorter, rtol=1e-3, atol=1e-6)


@given(GRADIENTS)
def test_by_value_each_number_is_bounded(gradient: list[float]) -> None:
    parts = parameters(gradient)
    ClippingConfig(norm=None, value=0.5).clip(parts)
    assert gradient_of(parts).tolist() == torch.tensor(gradient).clamp(-0.5, 0.5).tolist()


def test_unbounded_leaves_all_as_it_is() -> None:
    parts = parameters([3.0, 4.0, 0.0])
    assert ClippingConfig(norm=None).clip(parts) == pytest.approx(5.0)
    assert gradient_of(parts).tolist() == [3.0, 4.0, 0.0]
