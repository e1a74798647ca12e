from __future__ import annotations

import msgspec
import numpy as np
import pytest

from training.data import disturbances, waves
from training.data.synthetic import Mixture, draw

KINDS = ("seasonal", "walk", "noisy", "intermittent", "regime")


def only(kind: str, **rest: float) -> Mixture:
    """A mixture of one kind, complete and without outliers unless `rest` says otherwise."""
    shares = {name: float(name == kind) for name in KINDS}
    return msgspec.structs.replace(Mixture(), **shares, **{"missing": 0.0, "outliers": 0.0, **rest})


def autocorrelation(values: np.ndarray, lag: int) -> np.ndarray:
    standard = waves.standardise(values)
    found: np.ndarray = (standard[:, lag:] * standard[:, :-lag]).mean(axis=1)
    return found


def test_same_seed_gives_same_series_and_another_seed_others() -> None:
    once = draw(Mixture(), (5, 1), 100, 300)
    again = draw(Mixture(), (5, 1), 100, 300)
    other = draw(Mixture(), (5, 2), 100, 300)
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_finite_and_varies(kind: str) -> None:
    values = draw(only(kind), (1,), 200, 400)
    assert values.dtype == np.float32
    assert values.shape == (200, 400)
    assert np.isfinite(values).all()
    assert (values.std(axis=1) > 0).mean() > 0.98


def test_half_of_the_seasonal_series_are_daily() -> None:
    mixture = only("seasonal", noise_high=0.01, positive=0.0, counts=0.0)
    values = np.diff(draw(mixture, (2,), 600, 24 * 20), axis=1)
    daily = autocorrelation(values, 24) > 0.4
    # Periods that divide 24, or whose harmonics do, look daily as well.
    assert 0.4 < daily.mean() < 0.85


def test_shapes_can_be_sharp() -> None:
    rng = np.random.default_rng(0)
    clock = np.tile(np.arange(480), (300, 1))
    smooth = waves.periodic(rng, np.full(300, 24), clock, harmonics=1)
    sharp = waves.periodic(rng, np.full(300, 24), clock, harmonics=12)
    assert (
        np.abs(np.diff(sharp)).max(axis=1).mean() > 3 * np.abs(np.diff(smooth)).max(axis=1).mean()
    )


def test_a_wave_repeats_with_its_period() -> None:
    rng = np.random.default_rng(0)
    periods = np.array(waves.PERIODS)
    clock = np.tile(np.arange(400), (len(periods), 1))
    wave = waves.periodic(rng, periods, clock, harmonics=12)
    for row, period in enumerate(periods):
        np.testing.assert_allclose(wave[row, period:], wave[row, :-period], atol=2e-3)


def test_weekend_days_have_another_level_or_amplitude() -> None:
    rng = np.random.default_rng(4)
    clock = np.tile(np.arange(24 * 28), (50, 1))
    wave = waves.periodic(rng, np.full(50, 24), clock, 6)
    week = waves.weekly(rng, wave, wave, clock // 24)
    days = week.reshape(50, 28, 24)
    changed = np.abs(days - wave.reshape(50, 28, 24)).max(axis=2) > 1e-6
    assert ((changed.sum(axis=1) == 4) | (changed.sum(axis=1) == 8)).all()
    np.testing.assert_allclose(week[:, : 24 * 7], week[:, 24 * 7 : 24 * 14], atol=2e-3)


def test_intermittent_series_are_mostly_zero() -> None:
    values = draw(only("intermittent"), (3,), 200, 400)
    assert 0.5 < (values == 0).mean() < 0.97
    assert (values >= 0).all()


def test_missing_slots_come_single_in_runs_and_at_the_start() -> None:
    gone = disturbances.missing(np.random.default_rng(0), 500, 400)
    assert 0.02 < gone.mean() < 0.3
    assert gone[:, 0].any()
    assert not gone[:, -1].all()
    late = gone.all(axis=1)
    assert not late.any()


def test_counts_are_whole_numbers() -> None:
    values = draw(only("seasonal", counts=1.0), (1,), 50, 200)
    np.testing.assert_array_equal(values, np.round(values))
    assert (values >= 0).all()
