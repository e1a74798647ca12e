from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.training.data.writing import table_of, write
from tidecast.errors import DataError, SettingsError
from training.cli import app
from training.data.table import Loaded
from training.profile.facts import outliers, profile
from training.profile.seasons import autocorrelation, seasons

NAN = np.nan


def test_what_is_there_is_counted() -> None:
    values = np.array([[1, 2, NAN, NAN, 5], [NAN, 7, 7, 7, NAN], [NAN] * 5], np.float32)
    labels = np.array([[0, 0, 1, NAN, 0]] * 3, np.float32)
    counts = {"files": 1, "rows": 11, "combined": 2}
    found = profile(Loaded(table_of(values, labels=labels), "", counts, 0.25))
    assert (found.series, found.slots, found.rows, found.combined) == (3, 5, 11, 2)
    assert (found.first.isoformat(), found.last.hour) == ("1970-01-01T00:00:00+00:00", 4)
    assert found.labels == {0.0: 9, 1.0: 3}
    (channel,) = found.channels
    assert (channel.least, channel.median, channel.greatest) == (1, 6, 7)
    assert (channel.longest_gap, channel.constant, channel.empty) == (2, 1, 1)
    assert channel.missing == pytest.approx(9 / 15)


def test_outliers_are_far_from_the_median_of_their_series() -> None:
    values = np.random.default_rng(1).normal(0, 1, (2, 500)).astype(np.float32)
    values[1] = values[1] * 1000 + 50_000
    values[0, 7], values[1, 9], values[0, 11] = 30, 0, NAN
    assert np.argwhere(outliers(values)).tolist() == [[0, 7], [1, 9]]
    assert not outliers(np.full((1, 9), 5, np.float32)).any()


@pytest.mark.parametrize("period", [7, 24, 96])
def test_a_season_is_found_under_a_trend_noise_and_gaps(period: int) -> None:
    rng = np.random.default_rng(3)
    time = np.arange(20 * period)
    values = np.sin(2 * np.pi * time / period) * 10 + 0.05 * time + rng.normal(0, 0.3, len(time))
    values[rng.random(len(time)) < 0.05] = NAN
    found = seasons(values.astype(np.float32)[None])
    assert [lag for lag, _ in found] == [pytest.approx(period, rel=0.03)]


def test_a_long_season_is_found_under_noise_that_drowns_its_changes() -> None:
    time = np.arange(20 * 96)
    noise = np.random.default_rng(4).normal(0, 1, len(time))
    values = (np.sin(2 * np.pi * time / 96) + noise).astype(np.float32) + 1000
    assert max(autocorrelation(values[None], 200)[80:110]) < 0.1
    assert [lag for lag, _ in seasons(values[None])] == [pytest.approx(96, rel=0.03)]


def test_a_stronger_week_is_told_from_its_days() -> None:
    time = np.arange(24 * 7 * 12)
    working = (time // 24) % 7 < 5
    values = np.where(working, np.sin(2 * np.pi * time / 24), 0).astype(np.float32)
    assert {lag for lag, _ in seasons(values[None])} == {24, 168}


def test_noise_and_constants_have_no_season() -> None:
    noise = np.random.default_rng(2).normal(size=(3, 2000)).astype(np.float32)
    assert seasons(noise) == []
    assert seasons(np.ones((2, 300), np.float32)) == []
    assert seasons(np.ones((2, 3), np.float32)) == []


def test_autocorrelation_is_that_of_the_definition() -> None:
    series = np.cumsum(np.random.default_rng(5).normal(size=300)).astype(np.float32)
    changes = np.diff(series.astype(np.float64))
    changes -= changes.mean()
    covariance = [np.mean(changes[lag:] * changes[: len(changes) - lag]) for lag in range(10)]
    found = autocorrelation(series[None], 9)
    np.testing.assert_allclose(found, np.array(covariance) / covariance[0], atol=1e-9)


FILE = "time,load,heat,state\n" + "\n".join(
    f"{3600 * hour},{10 + hour % 24},{hour % 5},{'hot' if hour % 8 == 0 else 'ok'}"
    for hour in range(24 * 14)
)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["profile", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_command_prints_it_and_writes_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "pump <1>.csv", FILE)
    page = tmp_path / "profile.html"
    options = ["--layout", "channels", "--label", "state", "--unit", "load=MW"]
    text = run(str(path), *options, "--html", str(page))
    assert "1 d (" in text
    assert "12.50%" in text
    assert "MW" in text
    html = page.read_text()
    assert "<svg" in html
    assert "pump &lt;1&gt;.csv" in html
    assert "hot" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert len(html) < 300_000


def test_a_table_of_gaps_and_constants_is_drawn_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "time,a,b\n0,1,\n60,1,\n120,,\n180,1,\n")
    run(str(path), "--html", str(tmp_path / "profile.html"))


def test_wrong_options_are_errors_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "time,a\n0,1\n60,2\n")
    with pytest.raises(SettingsError, match="--unit MW is not CHANNEL=UNIT"):
        run(str(path), "--unit", "MW")
    with pytest.raises(DataError, match=r"cannot write .*none.*No such file"):
        run(str(path), "--html", str(tmp_path / "none" / "page.html"))


def test_help_shows_an_example() -> None:
    assert "Example: python -m training profile" in run("--help")
