from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.features.window import Window, normalise, unfold
from training.models import running
from training.models.skip import MixtureSkip, classical_maps
from training.tasks.band import Band, to_units

CONTEXT = 12
NUMBERS = st.floats(width=32, allow_infinity=False, allow_nan=True)


def view(*values: float) -> Window:
    row = [np.nan] * (CONTEXT - len(values)) + list(values)
    return normalise(torch.tensor([row], dtype=torch.float32), CONTEXT)


@given(arrays(np.float32, (3, CONTEXT), elements=NUMBERS))
def test_any_window_gives_finite_numbers(values: np.ndarray) -> None:
    found = normalise(torch.from_numpy(values), CONTEXT)
    for part in found:
        assert torch.isfinite(part).all()
    assert (found.shape.abs() <= CONTEXT + 1e-3).all()


def test_centre_and_spread_are_mean_and_mean_absolute_deviation() -> None:
    found = view(1.0, np.nan, 3.0, 8.0)
    assert found.centre.item() == 4.0
    assert abs(found.spread.item() - np.mean([3, 1, 4])) < 1e-6


def test_slots_after_the_newest_value_repeat_it_and_other_gaps_take_the_mean() -> None:
    found = view(2.0, np.nan, 6.0, np.nan)
    assert found.shape[0, -4:].tolist() == [-1.0, 0.0, 1.0, 1.0]
    assert found.seen.item() == 0
    np.testing.assert_allclose(found.facts[0].numpy(), [2 / CONTEXT, 1 / CONTEXT], rtol=1e-6)


def test_the_newest_slots_alone_can_give_centre_and_spread() -> None:
    row = torch.tensor([[5.0] * 9 + [np.nan, 1.0, 3.0]])
    found = normalise(row, CONTEXT, 3)
    assert (found.centre.item(), found.spread.item()) == (2.0, 1.0)
    assert found.shape[0].tolist() == [3.0] * 9 + [0.0, -1.0, 1.0]


@given(arrays(np.float32, (3, CONTEXT), elements=NUMBERS))
def test_by_its_newest_slots_too_any_window_gives_finite_numbers(values: np.ndarray) -> None:
    for part in normalise(torch.from_numpy(values), CONTEXT, 2):
        assert torch.isfinite(part).all()


def test_where_no_new_slot_has_a_value_all_give_centre_and_spread() -> None:
    row = torch.tensor([[1.0, 3.0] + [np.nan] * 10])
    for one, other in zip(normalise(row, CONTEXT, 3), normalise(row, CONTEXT), strict=True):
        assert torch.equal(one, other)


def test_an_offset_costs_no_digits() -> None:
    near, far = view(0.0, 0.5, 1.0, 0.25), view(1e6, 1e6 + 0.5, 1e6 + 1.0, 1e6 + 0.25)
    torch.testing.assert_close(near.shape, far.shape, rtol=0, atol=1e-6)


def test_running_means_of_a_sequence_are_those_of_the_steps() -> None:
    rng = np.random.default_rng(0)
    values = torch.from_numpy(rng.normal(50, 3, (4, 90)).astype(np.float32))
    values[values > 54] = torch.nan
    windows = normalise(unfold(values, CONTEXT), CONTEXT)
    facts = running.sequence(windows)
    state = torch.zeros(4, running.STATE_SIZE)
    for slot in range(90):
        now = Window(*(part[:, slot] for part in windows))
        stepped, state = running.step(now, state)
        torch.testing.assert_close(stepped, facts[:, slot], rtol=1e-3, atol=1e-3)


def test_running_mean_is_the_weighted_mean_of_all_known_values() -> None:
    values = torch.tensor([[4.0, torch.nan, 7.0, 1.0]])
    windows = normalise(unfold(values, CONTEXT), CONTEXT)
    state = torch.zeros(1, running.STATE_SIZE)
    for slot in range(4):
        _, state = running.step(Window(*(part[:, slot] for part in windows)), state)
    for place, rate in enumerate(running.RATES.tolist()):
        weights = (1 - rate) ** np.array([3, 1, 0])
        expected = np.average([4.0, 7.0, 1.0], weights=weights)
        assert abs(state[0, place].item() - expected) < 1e-4


def test_classical_maps_are_what_they_are_called() -> None:
    maps = classical_maps(96, 24)
    wave = torch.sin(2 * torch.pi * torch.arange(120) / 24)
    forecasts = torch.einsum("w,mwh->mh", wave[:96], maps)
    errors = (forecasts - wave[96:]).abs().amax(1)
    # Cycles of 12 are wrong on a period of 24; those of 24, 48, 72 and 96 are right.
    assert (errors < 1e-4).sum() >= 7
    torch.testing.assert_close(maps.sum(1), torch.ones(len(maps), 24))


def test_a_mixture_is_told_its_periods() -> None:
    maps = classical_maps(100, 5, (24, 60))
    # Of 60 slots there is no second cycle, hence neither a mean of cycles nor a trend.
    assert len(maps) == len(("mean", "last", "recent")) + 2 + 1 + 2 + 1
    ramp = torch.arange(105.0)
    cycled = ramp[:100] @ maps[4]
    torch.testing.assert_close(cycled, ramp[40:45])


def test_trust_picks_a_map() -> None:
    skip = MixtureSkip(96, 24, ())
    window = torch.randn(2, 96)
    trust = torch.full((2, skip.maps), -1e4)
    trust[:, 1] = 1e4
    torch.testing.assert_close(skip(window, trust), window[:, -1:].expand(2, 24))


def test_trust_by_lead_picks_a_map_for_each() -> None:
    skip = MixtureSkip(96, 3, (24,), by_lead=True)
    window = torch.randn(2, 96)
    trust = torch.full((2, 3, skip.maps), -1e4)
    trust[:, 0, 0] = trust[:, 1:, 1] = 1e4
    mean, last = window.mean(1), window[:, -1]
    expected = torch.stack((mean, last, last), 1)
    torch.testing.assert_close(skip(window, trust.flatten(1)), expected)


@given(
    arrays(np.float32, (2, 4), elements=st.floats(-50, 50, width=32)),
    arrays(np.float32, (2, 16), elements=st.floats(-100, 100, width=32)),
    st.floats(0, 2.0**120, width=32),
    st.floats(-(2.0**120), 2.0**120, width=32),
)
def test_levels_rise_in_any_unit(
    median: np.ndarray, gaps: np.ndarray, spread: float, centre: float
) -> None:
    window = view(1.0)._replace(spread=torch.tensor([[spread]]), centre=torch.tensor([[centre]]))
    for lowest in range(5):
        band = Band([0.1 * (5 - lowest + place) for place in range(5)], 4)
        scaled = to_units(band(torch.from_numpy(median), torch.from_numpy(gaps)), window)
        assert (scaled.diff(dim=-1) >= 0).all()
        assert torch.isfinite(scaled).all()
