"""From a bundle on the disk to a lighter one beside it, or to a refusal that changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.onnx_predictor import OnnxPredictor
from tests.training.lighten.parents import FIRST, case_of, csv, learnt, written
from tidecast.bundle import read_bundle
from tidecast.errors import BundleError, SettingsError
from training.cli import app
from training.explain.inputs import sample
from training.lighten.speed import us_per_row


def lighten(folder: Path, *more: str, name: str = "light") -> Path:
    """Run the command on the learnt bundle. → the new bundle's folder."""
    parent = written(learnt(), folder)
    paths = [str(parent), str(csv(folder)), "--out", str(folder), "--name", name]
    arguments = ["lighten", *paths, "--first", str(FIRST), *more]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder / name / "1"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_int8_bundle_says_what_it_was_made_from_and_what_it_costs(tmp_path: Path) -> None:
    folder = lighten(tmp_path, "--how", "int8-static", "--most-loss", "0.05")
    parent, found = learnt().manifest, read_bundle(folder).manifest
    assert found.training["made_from"] == {
        "bundle": "tried/1",
        "graph_sha256": parent.graph_sha256,
    }
    assert found.training["method"] == {"how": "int8-static", "windows": 512}
    figures = found.figures
    assert figures["accuracy"]["loss"] <= figures["most_loss"] == 0.05
    assert figures["bytes"]["before"] == parent.graph_bytes
    assert figures["bytes"]["after"] == found.graph_bytes < parent.graph_bytes
    assert set(figures["us_per_row"]) == {"1", "64", "256"}
    assert min(pair["after"] for pair in figures["us_per_row"].values()) > 0
    page = (folder / "report.html").read_text()
    assert "<svg" in page
    assert "bytes, compressed" in page
    assert "seasonal naive" in page


def test_too_great_a_loss_is_refused_and_the_old_bundle_stays_whole(tmp_path: Path) -> None:
    lighten(tmp_path, "--how", "int8-dynamic", "--most-loss", "0.05")
    before = files(tmp_path)
    with pytest.raises(BundleError, match=r"a loss of .*, and --most-loss allows 5.00%"):
        lighten(tmp_path, "--how", "prune", "--share", "0.95", "--most-loss", "0.05")
    assert files(tmp_path) == before


def test_the_bundle_itself_is_never_written_over(tmp_path: Path) -> None:
    parent = written(learnt(), tmp_path)
    before = files(parent)
    with pytest.raises(SettingsError, match="--name tried is that of the bundle itself"):
        lighten(tmp_path, "--how", "prune", name="tried")
    assert files(parent) == before


def test_a_student_from_a_file_becomes_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "student.toml").write_text(
        '[model]\nfamily = "nlinear"\ncontext = 30\n[fit]\nsteps = 100\nvalidate_every = 50\n'
    )
    how = ("--how", "distil", "--student", str(tmp_path / "student.toml"), "--most-loss", "3")
    found = read_bundle(lighten(tmp_path, *how)).manifest
    assert (found.context, found.state_size, found.step_seconds) == (30, 0, 3600)
    assert found.training["method"]["student"]["model"]["family"] == "nlinear"
    assert found.figures["parity_worst_relative_error"] <= 1e-4


def test_each_model_has_its_own_time() -> None:
    predictor = OnnxPredictor(learnt())
    inputs = sample(predictor, case_of(learnt())).inputs
    times = us_per_row([predictor, predictor], [inputs, inputs], batch=64, repeats=3)
    assert len(times) == 2
    assert min(times) > 0


def test_help_says_what_a_loss_is_and_shows_an_example() -> None:
    done = CliRunner().invoke(app, ["lighten", "--help"])
    assert "Example: python -m training lighten" in done.stdout
    assert "pinball" in done.stdout
