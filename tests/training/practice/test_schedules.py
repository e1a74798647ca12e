"""Schedules: their ends, their shape, and torch's own as the oracle where it has one."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.practice.schedules import (
    ConstantSchedule,
    CosineSchedule,
    Moment,
    OneCycleSchedule,
    PlateauSchedule,
    ScheduleConfig,
    StepSchedule,
    set_rate,
)

STEPS = 200
ALL: list[ScheduleConfig] = [
    ConstantSchedule(),
    CosineSchedule(),
    CosineSchedule(warm_up=0),
    CosineSchedule(warm_up=1),
    StepSchedule(),
    OneCycleSchedule(),
    PlateauSchedule(),
]


def factors(schedule: ScheduleConfig, steps: int = STEPS) -> list[float]:
    return [schedule.factor(Moment(step, steps)) for step in range(steps)]


@given(
    st.sampled_from(ALL),
    st.integers(1, 5000),
    st.floats(0, 1),
    st.lists(st.floats(), max_size=30),
)
def test_a_factor_is_a_share_of_the_peak(
    schedule: ScheduleConfig, steps: int, part: float, losses: list[float]
) -> None:
    step = min(int(part * steps), steps - 1)
    assert 0 <= schedule.factor(Moment(step, steps, losses)) <= 1


def test_cosine_rises_in_a_line_and_ends_where_it_is_told() -> None:
    found = factors(CosineSchedule(warm_up=0.1, final=0.05))
    assert found[:20] == pytest.approx([(step + 1) / 20 for step in range(20)])
    assert found[20] == 1
    assert found[-1] == pytest.approx(0.05)
    assert all(later <= earlier for earlier, later in pairwise(found[20:]))


def test_one_cycle_is_torch_s() -> None:
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    oracle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1.0, STEPS, pct_start=0.3, cycle_momentum=False
    )
    expected = []
    for _ in range(STEPS):
        expected.append(oracle.get_last_lr()[0])
        optimiser.step()
        if len(expected) < STEPS:
            oracle.step()
    # torch counts its rise to one step before the peak's share.
    assert factors(OneCycleSchedule()) == pytest.approx(expected, abs=0.03)


def test_steps_are_even() -> None:
    found = factors(StepSchedule(times=3, shrink=0.1))
    runs = [found.count(value) for value in sorted(set(found), reverse=True)]
    assert runs == [50, 50, 50, 50]
    assert found[-1] == pytest.approx(1e-3)


def test_a_plateau_shrinks_the_rate_each_time_patience_runs_out() -> None:
    schedule = PlateauSchedule(shrink=0.5, patience=2)
    losses = [5.0, 4.0, 4.5, 4.4, 3.0, 3.1, 3.1, 3.1, 3.1, math.nan]
    found = [schedule.factor(Moment(0, STEPS, losses[:count])) for count in range(len(losses) + 1)]
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_all_groups_get_the_rate() -> None:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    optimiser = torch.optim.SGD(groups, lr=1.0)
    set_rate(optimiser, 0.25)
    assert [group["lr"] for group in optimiser.param_groups] == [0.25, 0.25]
