from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.series_rows import read_rows
from training.data.waves import Floats, Ints
from training.evaluate.baselines import BASELINES, drift, filled, naive, naive2, seasonal_naive
from training.evaluate.metrics import Numbers, measure, scale_of
from training.evaluate.naive2 import is_seasonal
from training.evaluate.statistical import sampled, statistical

M4 = Path("../shared/data/m4")
ORIGINS = np.array([140, 141, 155])


def wavy(slots: int = 200, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    hours = np.arange(slots)
    level = 20 + 5 * np.sin(2 * np.pi * hours / 12)
    values: Floats = (level + rng.normal(0, 0.3, (3, slots))).astype(np.float32)
    return values


def test_gaps_repeat_the_value_before() -> None:
    values = np.array([[np.nan, 1, np.nan, np.nan, 4]], np.float32)
    np.testing.assert_array_equal(filled(values), [[np.nan, 1, 1, 1, 4]])


def test_the_plain_baselines_go_on_as_they_say() -> None:
    values = filled(np.arange(10, dtype=np.float32)[None])
    last = np.array([7])
    assert naive(values, last, 5, 3)[0, 0].tolist() == [7, 7, 7, 7, 7]
    assert seasonal_naive(values, last, 5, 3)[0, 0].tolist() == [5, 6, 7, 5, 6]
    np.testing.assert_allclose(drift(values, last, 3, 3)[0, 0], [8, 9, 10])


def test_a_season_that_has_not_been_seen_is_not_repeated() -> None:
    values = filled(np.arange(10, dtype=np.float32)[None])
    assert np.isnan(seasonal_naive(values, np.array([3]), 2, 6)).all()


@pytest.mark.parametrize("name", BASELINES)
def test_no_baseline_looks_ahead(name: str) -> None:
    values = wavy()
    other = values.copy()
    other[:, 156:] = -1e6
    ours, theirs = (BASELINES[name](filled(v), ORIGINS, 7, 12)[:, -1] for v in (values, other))
    np.testing.assert_array_equal(ours, theirs)
    before = BASELINES[name](filled(values), ORIGINS[:2], 7, 12)
    np.testing.assert_array_equal(BASELINES[name](filled(values), ORIGINS, 7, 12)[:, :2], before)


def test_naive2_follows_a_clear_season_and_its_level() -> None:
    values = filled(wavy())
    ahead = np.stack([values[:, origin + 1 : origin + 8] for origin in ORIGINS], axis=1)
    close = np.abs(naive2(values, ORIGINS, 7, 12) - ahead).mean()
    assert close < 0.5 * np.abs(naive(values, ORIGINS, 7, 12) - ahead).mean()
    # Added seasons, where values may be negative, say the same around another level.
    shifted = naive2(values - 22, ORIGINS, 7, 12) + 22
    np.testing.assert_allclose(shifted, naive2(values, ORIGINS, 7, 12), atol=1)


def test_a_late_beginning_shifts_no_season() -> None:
    values = wavy()
    late = values.copy()
    late[:, :7] = np.nan
    found = naive2(filled(late), np.array([120]), 12, 12)
    np.testing.assert_allclose(found, naive2(filled(values), np.array([120]), 12, 12), atol=0.5)


def test_noise_and_constants_have_no_season() -> None:
    rng = np.random.default_rng(3)
    assert not is_seasonal(rng.normal(size=300), 12)
    assert not is_seasonal(np.ones(300), 12)
    assert not is_seasonal(np.arange(30.0), 12)
    assert is_seasonal(wavy()[0].astype(float), 12)


@pytest.mark.skipif(not M4.exists(), reason="../shared/data is not there")
@pytest.mark.parametrize(
    ("name", "smape", "mase"),
    [("naive", 43.003, 11.608), ("seasonal naive", 13.912, 1.193), ("Naive2", 18.383, 2.395)],
)
def test_scores_on_m4_hourly_are_the_competitions_own(name: str, smape: float, mase: float) -> None:
    past, actual = (read_rows(M4 / f"Hourly-{part}.csv").values for part in ("train", "test"))
    forecasts = BASELINES[name](filled(past), np.array([past.shape[1] - 1]), 48, 24)
    found = measure(actual[:, None], forecasts[..., None], (0.5,), scale_of(past, 24))
    assert found.smape == pytest.approx(smape, abs=5e-4)
    assert found.mase == pytest.approx(mase, abs=5e-4)


def test_fitted_methods_follow_a_season() -> None:
    values = filled(wavy())
    rows, origins = np.array([0, 2]), np.array([150, 170])
    ahead = _ahead(values, rows, origins, 7)
    last = values[rows, origins][:, None]
    for forecasts in statistical(values, (rows, origins), 7, 12).values():
        assert np.abs(forecasts - ahead).mean() < 0.5 * np.abs(last - ahead).mean()


def test_fitted_methods_get_along_with_little_and_with_constants() -> None:
    values = np.ones((2, 40))
    values[1, :35] = np.nan
    pairs = np.array([0, 1]), np.array([39, 39])
    for forecasts in statistical(values, pairs, 3, 12).values():
        np.testing.assert_array_equal(forecasts, np.ones((2, 3)))


def test_a_sample_is_the_same_each_time_and_holds_what_may_be_chosen() -> None:
    candidates = np.random.default_rng(0).random((4, 50)) < 0.5
    rows, places = sampled(candidates, 20)
    assert len(rows) == 20
    assert candidates[rows, places].all()
    assert len(set(zip(rows.tolist(), places.tolist(), strict=True))) == 20
    np.testing.assert_array_equal(sampled(candidates, 20), (rows, places))
    assert len(sampled(candidates, 1000)[0]) == candidates.sum()


def _ahead(values: Numbers, rows: Ints, origins: Ints, horizon: int) -> Numbers:
    leads = np.arange(1, horizon + 1)
    ahead: Numbers = values[rows[:, None], origins[:, None] + leads]
    return ahead
