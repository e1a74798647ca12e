from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from tests.training.tuning.toy import NLINEAR, folder_with, opened
from tidecast.bundle import read_bundle
from training.cli import app
from training.fit import Progress
from training.fitting.fitted import Listener
from training.logs.log import flat, open_log

STEPS = [Progress(1, 0.9, float("nan"), float("inf"), 0.01), Progress(2, 0.8, 0.7, 0.7, 0.02)]


def fitted(folder: Path, log: str) -> dict[str, float]:
    """Fit a recipe of eight steps, logged; the figures of its bundle."""
    folder_with(folder, NLINEAR)
    paths = ["--out", str(folder / "out"), "--runs", str(folder / "runs"), "--log", log]
    command = ["fit", "--config", str(folder / "recipe.toml"), *paths]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0
    return flat(read_bundle(folder / "out" / "toy" / "1").manifest.figures)


def test_a_fit_is_found_in_tensorboard_as_it_went(tmp_path: Path) -> None:
    # As below, imported here: it takes seconds, and each process of the tests collects this file.
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    figures = fitted(tmp_path, "tensorboard")
    run = EventAccumulator(str(tmp_path / "runs" / "tensorboard" / "toy-1"))
    run.Reload()
    assert [event.step for event in run.Scalars("loss")] == list(range(1, 9))
    assert [event.step for event in run.Scalars("validation")] == [2, 4, 6, 8]
    rates = [event.value for event in run.Scalars("learning_rate")]
    assert rates[0] > rates[-1]
    best = min(event.value for event in run.Scalars("validation"))
    assert best == pytest.approx(figures["validation_loss"], abs=1e-5)
    mase = run.Scalars("figures/back_tests.test part.mase")[0].value
    assert mase == pytest.approx(figures["back_tests.test part.mase"], rel=1e-5)
    (recipe,) = run.Tensors("recipe/text_summary")[0].tensor_proto.string_val
    assert b"| model.family | nlinear |" in recipe


def test_a_run_is_found_in_mlflow(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    recipe, _ = opened(tmp_path, NLINEAR)
    heard: list[Progress] = []
    document = msgspec.to_builtins(recipe)
    with open_log("mlflow", tmp_path / "runs", "toy-1", document) as course:
        listener = course.heard(Listener(heard.append, print))
        for now in STEPS:
            listener.step(now)
        course.figures({"back_tests": {"rows, from 9 on": {"mase": 0.5}}, "tools": "none"})
    assert heard == STEPS
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/runs/mlflow.db")
    experiment = client.get_experiment_by_name("toy")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "toy-1"
    assert run.info.status == "FINISHED"
    assert run.data.params["model.family"] == "nlinear"
    assert run.data.params["fit.steps"] == "8"
    losses = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in losses] == [(1, 0.9), (2, 0.8)]
    validations = client.get_metric_history(run.info.run_id, "validation")
    assert [(point.step, point.value) for point in validations] == [(2, 0.7)]
    assert run.data.metrics["learning_rate"] == 0.02
    assert run.data.metrics["figures.back_tests.rows_ from 9 on.mase"] == 0.5


def test_nothing_is_logged_unless_it_is_asked_for(tmp_path: Path) -> None:
    heard: list[Progress] = []
    listener = Listener(heard.append, print)
    with open_log(None, tmp_path / "runs", "toy-1", {"name": "toy"}) as course:
        assert course.heard(listener) is listener
        course.figures({"mase": 1.0})
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("kind", "package"), [("tensorboard", "torch"), ("mlflow", "mlflow")])
def test_a_missing_package_is_one_line_with_the_command_that_installs_it(
    kind: str, package: str
) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import training.logs.{kind}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("tidecast.errors.SettingsError")
    assert f"pip install 'tidecast[{kind}]'" in last
