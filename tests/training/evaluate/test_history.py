from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.stream.graphs import classifier, follower
from tidecast.bundle import write_bundle
from tidecast.errors import DataError, SettingsError
from training.cli import app
from training.evaluate.case import usual_seasonality
from training.evaluate.history import read_history
from training.evaluate.statistical import METHODS


def written(folder: Path) -> Path:
    """One series: its load, what is planned, and a state that is high where the load is."""
    rng = np.random.default_rng(0)
    lines = ["timestamp,value,plan,state"]
    for slot, load in enumerate(rng.normal(size=80)):
        lines.append(f"{slot * 60},{load:.3f},{slot % 4},{'high' if load > 0 else 'low'}")
    path = folder / "plant.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_classifier_is_tried_on_a_file_with_labels(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, classifier(), "")
    arguments = [str(bundle), str(written(tmp_path)), "--first", "40", "--layout", "channels"]
    page = tmp_path / "page.html"
    done = CliRunner().invoke(
        app, ["evaluate", *arguments, "--html", str(page)], catch_exceptions=False
    )
    scores = json.loads(done.stdout)
    assert (scores["accuracy"], scores["count"]) == (1.0, 40)
    assert "share right by confidence" in page.read_text()


def test_what_the_model_knows_ahead_is_read_too(tmp_path: Path) -> None:
    table = read_history(written(tmp_path), "channels", follower().manifest)
    assert table.channels == ("value",)
    assert table.covariates == ("plan",)
    assert table.known is not None
    assert table.known[0, :5, 0].tolist() == [0, 1, 2, 3, 0]
    assert table.labels is None


def test_a_file_that_lacks_what_the_model_needs_is_refused(tmp_path: Path) -> None:
    path, manifest = written(tmp_path), classifier().manifest
    renamed = msgspec.structs.replace(manifest, target="fault")
    with pytest.raises(DataError, match="fault"):
        read_history(path, "channels", renamed)
    with pytest.raises(SettingsError, match="a wide file has no label"):
        read_history(path, "wide", manifest)


@pytest.mark.parametrize(("step_s", "season"), [(900, 96), (86_400, 7)])
def test_a_general_model_is_tried_zero_shot_on_a_file_of_any_step(
    step_s: int, season: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    slots = np.arange(5 * season + 48)
    load = 10 + np.sin(2 * np.pi * slots / season) + rng.normal(0, 0.1, len(slots))
    times = np.datetime64("2026-01-01T00:00:00") + slots * np.timedelta64(step_s, "s")
    lines = [f"{time},{value:.4f}" for time, value in zip(times, load, strict=True)]
    (tmp_path / "load.csv").write_text("\n".join(["time,load", *lines]))
    arguments = [str(tmp_path / "load.csv"), "--first", str(len(slots) - 48), "--fitted", "1"]
    done = CliRunner().invoke(
        app, ["evaluate", "onnx_models/general-gru/1", *arguments], catch_exceptions=False
    )
    scores = json.loads(done.stdout)
    assert scores["seasonality"] == season
    assert scores["mase"] < scores["baselines"]["naive"]["mase"]
    sample = scores["sample"]
    for name in METHODS:
        assert sample[name]["mase"] < 2 * sample["naive"]["mase"]
    assert "MASE at 1 answers: model" in done.stderr


@pytest.mark.parametrize(
    ("step_s", "season"),
    [(1, 3600), (60, 1440), (3600, 24), (7200, 12), (86_400, 7), (604_800, 52), (10**9, 1)],
)
def test_the_usual_season_follows_from_the_step(step_s: int, season: int) -> None:
    assert usual_seasonality(step_s) == season
