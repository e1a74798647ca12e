from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.data.writing import table_of
from tidecast.errors import DataError, SettingsError
from training.data.leaking import Asked, check_not_told
from training.data.table import Split, Table
from training.data.waves import Floats

SERIES, SLOTS, HORIZON = 3, 400, 24
CUT = Split(300, 350, SLOTS)
LEADS = np.arange(1, HORIZON + 1)


def measured(seed: int = 1) -> Floats:
    """Series with memory and levels of their own, [series, slots]."""
    rng = np.random.default_rng(seed)
    walks = rng.normal(size=(SERIES, SLOTS)).cumsum(axis=1)
    return (walks + 100 * np.arange(SERIES)[:, None]).astype(np.float32)


def earlier(values: Floats, slots: int) -> Floats:
    """At every slot the value of so many slots later, NaN where there is none."""
    moved = np.full_like(values, np.nan)
    first, last = max(0, -slots), SLOTS - max(0, slots)
    moved[:, first:last] = values[:, first + slots : last + slots]
    return moved


def beside(target: Floats, channel: Floats, known: Floats | None = None) -> Table:
    """A table of `channel-0`, which is the target, another channel, and a `plan`."""
    table = table_of(np.stack((target, channel), axis=2))
    if known is None:
        return table
    return table._replace(known=known[..., None], covariates=("plan",))


def forecast_of(target: Floats) -> Asked:
    return Asked("channel-0", target, LEADS)


@settings(max_examples=30, deadline=None)
@given(shift=st.integers(-HORIZON, 220))
def test_a_channel_tells_when_it_runs_ahead_and_only_then(shift: int) -> None:
    target = measured()
    table = beside(target, earlier(target, shift))
    if shift < 1:
        check_not_told(table, CUT, forecast_of(target))
        return
    with pytest.raises(DataError, match=rf"'channel-1' is the target 'channel-0' of {shift} slot"):
        check_not_told(table, CUT, forecast_of(target))


@settings(max_examples=30, deadline=None)
@given(shift=st.integers(-40, 40))
def test_what_is_known_ahead_tells_within_the_horizon(shift: int) -> None:
    target = measured()
    table = beside(target, measured(2), earlier(target, shift))
    if abs(shift) >= HORIZON:
        check_not_told(table, CUT, forecast_of(target))  # known by then: the day before, say
        return
    with pytest.raises(DataError, match="column 'plan' is the target"):
        check_not_told(table, CUT, forecast_of(target))


def test_gaps_rounding_and_a_few_other_values_hide_nothing() -> None:
    target = measured()
    plan = np.round(target, 1)
    plan[:, ::7] = np.nan
    plan[0, 100:102] = 1e6
    target[1, 50:80] = np.nan
    with pytest.raises(DataError, match="'plan' is the target 'channel-0' itself"):
        check_not_told(beside(target, measured(2), plan), CUT, forecast_of(target))


def test_a_good_plan_is_no_leak_and_neither_is_a_copy_after_training() -> None:
    target = measured()
    plan = target + np.random.default_rng(3).normal(0, 0.5, target.shape).astype(np.float32)
    plan[:, CUT.validate :] = target[:, CUT.validate :]
    check_not_told(beside(target, measured(2), plan), CUT, forecast_of(target))


def test_a_trusted_input_may_tell() -> None:
    target = measured()
    table = beside(target, measured(2), target)
    check_not_told(table, CUT, forecast_of(target), ["plan"])
    with pytest.raises(SettingsError, match=r"names 'plans', .* there are channel-0, channel-1"):
        check_not_told(table, CUT, forecast_of(target), ["plans"])


def test_a_wave_is_told_by_its_own_past_so_another_wave_tells_nothing_new() -> None:
    angle = 2 * np.pi * np.arange(SLOTS) / 24
    sine, cosine = (np.tile(wave(angle), (SERIES, 1)) for wave in (np.sin, np.cos))
    check_not_told(beside(sine, cosine), CUT, forecast_of(sine))
    with pytest.raises(DataError, match="itself"):
        check_not_told(beside(sine, cosine, sine), CUT, forecast_of(sine))


def failures(lead: int) -> tuple[Table, Asked]:
    """A machine that seldom fails: its state as `channel-1` and as the label."""
    state = np.zeros((SERIES, SLOTS), np.float32)
    state[0, 40:50] = state[1, 120:122] = state[1, 200:260] = state[2, 290:] = 1
    table = beside(measured(), state)._replace(labels=state)
    return table, Asked("state", state, np.array([lead]))


def test_a_label_that_is_also_a_channel_tells_of_its_own_slot_alone() -> None:
    with pytest.raises(DataError, match="column 'channel-1' is the target 'state' itself"):
        check_not_told(failures(0)[0], CUT, failures(0)[1])
    check_not_told(failures(1)[0], CUT, failures(1)[1])


def test_what_stays_at_zero_is_no_copy_of_a_rare_event() -> None:
    table, asked = failures(0)
    table.values[..., 1] = 0
    table.values[2, 10:12, 1] = 1
    check_not_told(table, CUT, asked)


def test_a_channel_that_is_the_label_of_a_later_slot_is_found() -> None:
    table, asked = failures(3)
    table.values[..., 1] = earlier(asked.values, 3)
    with pytest.raises(DataError, match="'channel-1' is the target 'state' of 3 slots later"):
        check_not_told(table, CUT, asked)
    table.values[..., 1] = earlier(asked.values, 2)
    check_not_told(table, CUT, asked)  # at the newest slot it tells of the next two, not three
