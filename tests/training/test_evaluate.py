from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tidecast.errors import DataError
from training.benchmarks import RowsBenchmark, StreamBenchmark, load
from training.evaluate import Task, baselines, score, seasonal_scale

LEVELS = (0.1, 0.5, 0.9)


def a_task() -> Task:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 200)).astype(np.float32)
    values[1, 150:155] = np.nan
    return Task("noise", values, np.arange(120, 170, 7), 120, 24)


def test_scores_are_the_plain_formulas() -> None:
    task = a_task()
    rng = np.random.default_rng(1)
    forecasts = np.sort(rng.normal(size=(3, len(task.origins), 24, 3)), axis=3).astype(np.float32)
    errors, losses, inside = [], [], []
    for row, series in enumerate(task.values):
        past = series[:120]
        unit = np.mean([abs(past[t] - past[t - 24]) for t in range(24, 120)])
        for number, origin in enumerate(task.origins):
            for lead in range(24):
                actual, levels = series[origin + 1 + lead], forecasts[row, number, lead]
                if np.isnan(actual):
                    continue
                errors.append(abs(actual - levels[1]) / unit)
                inside.append(levels[0] <= actual <= levels[2])
                losses += [
                    max(level * (actual - found), (level - 1) * (actual - found)) / unit
                    for level, found in zip(LEVELS, levels, strict=True)
                ]
    scores = score(forecasts, task, LEVELS)
    assert scores.mase == pytest.approx(np.mean(errors), rel=1e-5)
    assert scores.pinball == pytest.approx(np.mean(losses), rel=1e-5)
    assert scores.coverage == pytest.approx(np.mean(inside), rel=1e-5)


def test_baselines_repeat_the_last_value_and_the_last_cycle() -> None:
    values = np.arange(10, dtype=np.float32)[None]
    values[0, 7] = np.nan
    last, cycle = baselines(values, np.array([7]), np.arange(1, 6), period=3)
    assert last[0, 0].tolist() == [6, 6, 6, 6, 6]
    assert cycle[0, 0].tolist() == [5, 6, 6, 5, 6]


def test_the_seasonal_naive_forecast_of_a_season_is_right() -> None:
    values = np.tile(np.arange(24, dtype=np.float32), 8)[None]
    task = Task("season", values, np.array([100]), 100, 24)
    assert seasonal_scale(values, 24).tolist() == [0.0]
    _, cycle = baselines(values, task.origins, np.arange(1, 25), 24)
    np.testing.assert_array_equal(cycle[0, 0], values[0, 101:125])


def test_series_that_never_vary_cannot_be_scored() -> None:
    task = Task("flat", np.ones((2, 200), np.float32), np.array([150]), 100, 24)
    with pytest.raises(DataError, match="nothing to score"):
        score(np.ones((2, 1, 24, 3), np.float32), task, LEVELS)


def test_benchmarks_are_read_from_streams_and_from_rows(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('"id","1","2","3"\n"x","1","2",\n"y","3","4","5"\n')
    (tmp_path / "test.csv").write_text('"id","1","2"\n"x","7","8"\n"y","9","10"\n')
    rows = load(RowsBenchmark("rows", "train.csv", "test.csv"), tmp_path, 2, 1)
    np.testing.assert_array_equal(rows.values, [[np.nan, 1, 2, 7, 8], [3, 4, 5, 9, 10]])
    assert rows.origins.tolist() == [2]
    (tmp_path / "stream.csv").write_text("time,a\n" + "".join(f"{t},{t}\n" for t in range(9)))
    stream = load(StreamBenchmark("stream", "stream.csv", first=4), tmp_path, 2, 1)
    assert stream.origins.tolist() == [3, 4, 5, 6]
