"""Device, precision and seeds, on whatever machine the tests run."""

from __future__ import annotations

import io
from typing import Literal

import pytest
import torch
from torch import nn

from tidecast.errors import SettingsError
from training.practice.clipping import ClippingConfig
from training.practice.devices import choose_device
from training.practice.optimisers import SgdConfig
from training.practice.precision import Precision
from training.practice.seeding import generator, random_state, restore_random_state

NAMES: tuple[Literal["cuda", "mps"], ...] = ("cuda", "mps")


def test_a_device_is_chosen_and_a_missing_one_is_named() -> None:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    best = next((name for name in NAMES if there[name]), "cpu")
    assert choose_device().type == best
    assert choose_device("cpu").type == "cpu"
    for name in NAMES:
        if not there[name]:
            with pytest.raises(SettingsError, match=f"'{name}' is not there"):
                choose_device(name)


def losses(device: torch.device, *, mixed: bool, steps: int = 40) -> list[float]:
    """Of a line fitted to points."""
    torch.manual_seed(2)
    model = nn.Linear(4, 1).to(device)
    inputs = torch.randn(64, 4).to(device)
    targets = inputs.sum(1, keepdim=True) + 1
    optimiser = SgdConfig(0.05).optimiser(model)
    precision = Precision(device, mixed=mixed)
    found = []
    for _ in range(steps):
        with precision.forward():
            loss = (model(inputs) - targets).square().mean()
        precision.step(loss, optimiser, ClippingConfig())
        found.append(loss.item())
    precision.restore(precision.state())
    return found


def test_on_a_processor_mixed_precision_changes_nothing() -> None:
    cpu = torch.device("cpu")
    plain = losses(cpu, mixed=False)
    assert losses(cpu, mixed=True) == plain
    assert plain[-1] < 0.05 * plain[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu_mixed_precision_learns_as_well() -> None:
    found = losses(torch.device("cuda"), mixed=True)
    assert found[-1] < 0.05 * found[0]


def test_a_step_returns_the_norm_and_clips() -> None:
    model = nn.Linear(1, 1, bias=False)
    before = model.weight.item()
    precision = Precision(torch.device("cpu"), mixed=True)
    optimiser = SgdConfig(1.0, momentum=0.0).optimiser(model)
    norm = precision.step(1000 * model.weight.sum(), optimiser, ClippingConfig(norm=0.5))
    assert norm == pytest.approx(1000)
    assert model.weight.item() == pytest.approx(before - 0.5)


def test_a_seed_gives_the_same_numbers_and_a_place_its_own() -> None:
    drawn = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    assert generator(5, 1).random() == generator(5, 1).random() != generator(5, 2).random()


def test_a_checkpoint_goes_on_with_the_numbers_that_were_to_come() -> None:
    torch.manual_seed(9)
    torch.rand(10)
    file = io.BytesIO()
    torch.save(random_state(), file)
    expected = torch.rand(5)
    file.seek(0)
    restore_random_state(torch.load(file, weights_only=True))
    assert torch.equal(torch.rand(5), expected)
