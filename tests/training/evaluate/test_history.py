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
from training.evaluate.history import read_history


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
