from __future__ import annotations

import numpy as np
import torch

from tests.training.stepping import carried, times
from training.data.synthetic import Mixture, draw
from training.hostile import MAKERS, hostile_series
from training.models.forecaster import Forecaster, Output

SLOTS = 180


def series(count: int) -> torch.Tensor:
    return torch.from_numpy(draw(Mixture(), (8,), count, SLOTS))


def in_units(output: Output) -> torch.Tensor:
    return output.centre[..., None, None] + output.quantiles * output.spread[..., None, None]


def test_a_sequence_gives_what_carried_steps_give(model: Forecaster) -> None:
    values = series(24)
    stepped = carried(model, values)
    with torch.no_grad():
        output = model.sequence(values, times(values), torch.arange(SLOTS))
    apart = (stepped - in_units(output)).abs().amax((2, 3))
    assert (apart <= 2e-3 * (output.spread + output.centre.abs() * 1e-3)).all()


def test_the_future_does_not_leak_into_the_past(model: Forecaster) -> None:
    values = series(8)
    changed = values.clone()
    changed[:, 120:] = 1e6
    origins = torch.arange(122)
    with torch.no_grad():
        first, second = (model.sequence(part, times(part), origins) for part in (values, changed))
    before, after = first.quantiles[:, :120], second.quantiles[:, :120]
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(first.centre[:, 121], second.centre[:, 121])


def test_what_comes_after_the_last_origin_is_not_looked_at(model: Forecaster) -> None:
    values, origins = series(8), torch.tensor([60, 119])
    with torch.no_grad():
        whole = model.sequence(values, times(values), origins)
        part = model.sequence(values[:, :120], times(values[:, :120]), origins)
    assert all(map(torch.equal, whole, part))


def test_the_state_matters(model: Forecaster) -> None:
    window = series(4)[:, :96, None].nan_to_num()
    origin = torch.zeros(4, dtype=torch.int64)
    with torch.no_grad():
        fresh, _ = model(window, origin, torch.zeros(4, model.state_size))
        other, _ = model(window, origin, torch.ones(4, model.state_size))
    assert not torch.allclose(fresh, other)


def test_levels_never_cross_and_all_is_finite_on_hostile_series(model: Forecaster) -> None:
    values = torch.from_numpy(hostile_series(2 * len(MAKERS), SLOTS, seed=2)[1])
    forecasts = carried(model, values)
    assert torch.isfinite(forecasts).all()
    assert (forecasts.diff(dim=-1) >= 0).all()


def test_values_at_the_ends_of_float32_stay_finite(model: Forecaster) -> None:
    limits = np.finfo(np.float32)
    largest, smallest = float(limits.max), float(limits.tiny)
    rows = [[largest, -largest], [smallest, -smallest], [largest, smallest], [1e-45, -1e-45]]
    values = torch.tensor([row * 60 for row in rows], dtype=torch.float32)
    forecasts = carried(model, values)
    assert torch.isfinite(forecasts).all()
    assert (forecasts.diff(dim=-1) >= 0).all()


def test_a_constant_is_forecast_as_itself(model: Forecaster) -> None:
    values = torch.tensor([0.0, 0.1, -7.0, 1e30, 1e-20, 123456.7])[:, None].expand(-1, 120)
    forecasts = carried(model, values)
    assert (forecasts == values[:, :, None, None]).all()


def test_the_first_observation_ever_is_forecast_as_itself(model: Forecaster) -> None:
    forecasts = carried(model, torch.tensor([[41.5]]))
    assert (forecasts == 41.5).all()


def test_scale_and_offset_pass_through(model: Forecaster) -> None:
    values = series(16)
    plain = carried(model, values)
    spread = values.nan_to_num().std(1)[:, None, None, None]
    for factor, offset in ((1e-18, 0.0), (8.0, -32.0)):
        moved = (carried(model, factor * values + offset) - offset) / factor
        assert ((moved - plain).abs() / spread).nan_to_num().max() < 0.02
