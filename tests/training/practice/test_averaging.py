from __future__ import annotations

import torch
from torch import nn

from training.practice.averaging import YOUNG, Average


def test_in_the_long_run_it_is_the_exponentially_weighted_mean() -> None:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, 8.0)
    average = Average(model, kept=0.5)
    for number, weight in enumerate((16.0, 4.0, 2.0)):
        nn.init.constant_(model.weight, weight)
        average.take(YOUNG + number)
    assert average.values[0].tolist() == [[8 / 8 + 16 / 8 + 4 / 4 + 2 / 2] * 2]


def test_a_young_average_forgets_where_it_began() -> None:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, 100.0)
    average = Average(model, kept=0.999)
    nn.init.constant_(model.weight, 0.0)
    for step in range(1, 101):
        average.take(step)
    assert average.values[0].abs().max() < 1e-3


def test_the_model_answers_by_the_average_meanwhile_and_learns_on_from_its_own() -> None:
    model = nn.Linear(2, 1)
    average = Average(model, kept=0.9)
    nn.init.constant_(model.weight, 8.0)
    average.take(1)
    with average.instead():
        assert torch.equal(model.weight, average.values[0])
        assert not torch.equal(model.weight, torch.full((1, 2), 8.0))
    assert torch.equal(model.weight, torch.full((1, 2), 8.0))
