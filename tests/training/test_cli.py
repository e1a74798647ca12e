from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from tidecast.bundle import read_bundle
from tidecast.errors import DataError, SettingsError
from training.cli import app

RECIPE = """
name = "tiny"
units = { value = "MW" }
[data]
source = "file"
path = "load.csv"
licence = "CC0"
[model]
family = "streaming-gru"
context = 32
inputs = 4
bands = 4
width = 16
summary = 8
hidden = 4
layers = 2
[task]
kind = "forecast"
horizon = 6
[fit]
steps = 6
batch = 4
length = 80
validate_every = 3
"""


def history(folder: Path) -> Path:
    """Write a recipe and three series of four weeks."""
    (folder / "recipe.toml").write_text(RECIPE)
    hours = np.arange(24 * 28)
    rng = np.random.default_rng(0)
    columns = [np.sin(2 * np.pi * hours / 24) + rng.normal(0, 0.1, len(hours)) for _ in range(3)]
    lines = [f"{3600 * hour},{a},{b},{c}" for hour, a, b, c in zip(hours, *columns, strict=True)]
    (folder / "load.csv").write_text("\n".join(["time,a,b,c", *lines]))
    return folder


def fit(folder: Path, *more: str) -> list[str]:
    paths = ["--out", str(folder / "bundles"), "--runs", str(folder / "runs")]
    return ["fit", "--config", str(folder / "recipe.toml"), *paths, *more]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like `folder` whose recipe has been fitted, from a file named on the way."""
    folder = history(tmp_path_factory.mktemp("built"))
    elsewhere = (folder / "load.csv").rename(folder / "elsewhere.csv")
    done = CliRunner().invoke(app, fit(folder, "--data", str(elsewhere)), catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.strip() == str(folder / "bundles" / "tiny" / "1")
    return folder


def test_a_csv_becomes_a_bundle_that_reads_and_runs(built: Path) -> None:
    bundle = read_bundle(built / "bundles" / "tiny" / "1")
    manifest = bundle.manifest
    assert (manifest.context, manifest.horizon, manifest.state_size) == (32, 6, 2 * 4 + 6)
    assert (manifest.step_seconds, manifest.data_licence) == (3600, "CC0")
    assert manifest.channels[0].unit == "MW"
    assert manifest.training["seed"] == 1
    assert manifest.figures["parity_worst_relative_error"] <= 1e-4
    states = np.zeros((5, 14), np.float32)
    inputs = Inputs(np.ones((5, 32, 1), np.float32), np.zeros(5, np.int64), states)
    found = OnnxPredictor(bundle).predict(inputs)
    assert found.forecast.shape == (5, 6, 3)
    assert found.next_state.shape == (5, 14)


def test_the_report_needs_nothing_else(built: Path) -> None:
    page = (built / "bundles" / "tiny" / "1" / "report.html").read_text()
    assert len(page) < 300_000
    assert "<svg" in page
    assert "test part" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_bundle_can_be_evaluated_on_a_file(built: Path) -> None:
    arguments = [str(built / "bundles/tiny/1"), str(built / "elsewhere.csv"), "--first", "400"]
    done = CliRunner().invoke(app, ["evaluate", *arguments], catch_exceptions=False)
    scores = json.loads(done.stdout)
    assert scores["series"] == 3
    assert 0 < scores["mase"] < 10
    assert set(scores["baselines"]) == {"naive", "seasonal naive", "drift", "Naive2"}


def test_pages_of_scores_and_explanations_are_written(built: Path) -> None:
    arguments = [str(built / "bundles/tiny/1"), str(built / "elsewhere.csv"), "--first", "600"]
    for command, words in (("evaluate", "seasonal naive"), ("explain", "By hour of day")):
        page = built / f"{command}.html"
        done = CliRunner().invoke(
            app, [command, *arguments, "--html", str(page)], catch_exceptions=False
        )
        assert done.exit_code == 0
        assert words in page.read_text()


def test_wrong_input_is_an_error_of_ours(tmp_path: Path) -> None:
    folder = history(tmp_path)
    (folder / "load.csv").write_text("time,a\n0,1\n3600,2\n")
    with pytest.raises(DataError, match="the horizon"):
        CliRunner().invoke(app, fit(folder), catch_exceptions=False)
    (folder / "recipe.toml").write_text(RECIPE.replace('source = "file"', 'source = "synthetic"'))
    with pytest.raises(SettingsError, match="path"):
        CliRunner().invoke(app, fit(folder), catch_exceptions=False)


@pytest.mark.parametrize("command", ["fit", "evaluate", "explain"])
def test_help_shows_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: python -m training {command}" in done.stdout
