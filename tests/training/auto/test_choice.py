from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from stream.onnx_predictor import OnnxPredictor
from tests.training.tuning.toy import NLINEAR, SILENT, folder_with, opened
from tidecast.bundle import read_bundle
from tidecast.errors import SettingsError
from training.auto.candidates import Ledger, Plan
from training.auto.choice import AutoOrder, choose
from training.auto.pace import paced
from training.auto.tryout import Bench, try_out
from training.cli import app
from training.config import read_toml
from training.fit import Progress
from training.fitting.ensemble import calibrated
from training.fitting.fitted import Listener
from training.source import History
from training.tuning.objective import ORIGINS, validation_figure

STREAMING = {"family": "streaming-gru", "context": 24, "hidden": 4, "width": 8, "summary": 8}
LEAST_TIME = "0.00001"


def plan_of(path: Path, name: str, model: Mapping[str, object]) -> Plan:
    """A first try of the recipe with another model."""
    recipe = read_toml(path, "recipe") | {"model": dict(model)}
    return Plan(name, str(model["family"]), recipe, share_s=30.0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    _, source = opened(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    return Bench(source, Ledger(home), tmp_path / "runs", None)


def test_the_command_keeps_the_best_and_goes_on_from_what_it_has(tmp_path: Path) -> None:
    config = folder_with(tmp_path)
    names = {"config": config, "out": tmp_path / "out", "runs": tmp_path / "runs"}
    paths = [word for name, path in names.items() for word in (f"--{name}", str(path))]
    command = ["auto", *paths, "--minutes", LEAST_TIME]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert "ridge-1" in done.stdout
    page, bundle = done.stdout.split()[-2:]
    assert "ridge-1" in Path(page).read_text()
    first = read_bundle(Path(bundle))
    assert first.manifest.name == "toy"
    assert "test part" in first.manifest.figures["back_tests"]
    recipe = tomllib.loads((Path(bundle) / "recipe.toml").read_text())
    assert recipe["model"]["family"] == "ridge"
    again = CliRunner().invoke(app, command, catch_exceptions=False)
    assert again.exit_code == 0
    assert read_bundle(Path(bundle)).graph == first.graph
    assert len(Ledger(tmp_path / "runs" / "toy-1-auto").candidates) == 1


def test_members_become_one_bundle_whose_figure_is_its_own(bench: Bench, tmp_path: Path) -> None:
    config = tmp_path / "recipe.toml"
    for plan in (
        plan_of(config, "ridge-1", {"family": "ridge", "context": 24}),
        plan_of(config, "streaming-gru-1", STREAMING),
    ):
        found = try_out(bench, plan, SILENT)
        assert found.message == ""
        assert found.figure is not None
    models = [one.plan.recipe["model"] for one in bench.ledger.candidates]
    names = tuple(one.plan.name for one in bench.ledger.candidates)
    for method in ("mean", "stacked"):
        model = {"family": "ensemble", "members": models, "method": method}
        plan = replace(plan_of(config, f"{method}-1", model), members=names)
        joined = try_out(bench, plan, SILENT)
        assert joined.message == ""
        bundle = bench.ledger.bundle(f"{method}-1")
        assert sum(bundle.manifest.figures["weights"]) == pytest.approx(1, abs=1e-4)
        assert isinstance(bench.source, History)
        recipe, _ = opened(tmp_path)
        assert joined.figure == validation_figure(bundle, recipe, bench.source, ORIGINS)
        assert min(abs(factor - 1) for factor in bundle.manifest.figures["stretch"]) > 0.01
        again = calibrated(bundle, recipe, bench.source, SILENT).figures["stretch"]
        assert again == pytest.approx([1, 1], abs=0.01)
        assert OnnxPredictor(bundle).manifest.context == 24
    assert [one.plan.name for one in Ledger(tmp_path / "home").candidates] == [
        *names,
        "mean-1",
        "stacked-1",
    ]


def test_a_candidate_that_cannot_be_is_noted_and_nothing_more(bench: Bench, tmp_path: Path) -> None:
    config = tmp_path / "recipe.toml"
    found = try_out(bench, plan_of(config, "gru-1", {"family": "gru", "context": 0}), SILENT)
    assert found.figure is None
    assert "context" in found.message
    assert Ledger(tmp_path / "home").candidates == [found]


def test_a_candidate_that_was_being_tried_at_a_kill_goes_on_from_its_checkpoint(
    bench: Bench, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "recipe.toml", "nlinear-1", {"family": "nlinear", "context": 24})

    class KilledError(Exception):
        pass

    steps: list[int] = []

    def kill(now: Progress) -> None:
        steps.append(now.step)
        if now.step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        try_out(bench, plan, Listener(kill, SILENT.stage))
    again = bench._replace(ledger=Ledger(tmp_path / "home"))
    planned = again.ledger.planned()
    assert planned is not None
    assert planned.name == "nlinear-1"
    steps.clear()
    found = try_out(again, planned, Listener(lambda now: steps.append(now.step), SILENT.stage))
    assert steps[0] > 1
    assert found.figure is not None
    assert again.ledger.planned() is None


def test_a_line_that_a_kill_cut_short_is_tried_again(tmp_path: Path, bench: Bench) -> None:
    config = tmp_path / "recipe.toml"
    found = try_out(bench, plan_of(config, "gru-1", {"family": "gru", "context": 0}), SILENT)
    file = tmp_path / "home" / "candidates.jsonl"
    file.write_bytes(file.read_bytes() + b'{"plan":{"na')
    ledger = Ledger(tmp_path / "home")
    assert ledger.candidates == [found]
    ledger.end(found)
    assert Ledger(tmp_path / "home").candidates == [found, found]


def test_steps_are_as_many_as_a_share_has_time_for(tmp_path: Path) -> None:
    recipe, source = opened(tmp_path, NLINEAR)
    many = replace(recipe, fit=replace(recipe.fit, steps=1_000_000, validate_every=1000))
    short, long = (paced(many, source, share, SILENT).fit for share in (0.0, 3600.0))
    assert short.steps == 20
    assert long.steps > 20 * short.steps
    assert short.validate_every < short.steps
    assert paced(recipe, source, 3600.0, SILENT).fit.steps == recipe.fit.steps


def test_a_choice_of_which_nothing_succeeds_says_why(tmp_path: Path) -> None:
    config = folder_with(tmp_path, 'family = "logistic"\ncontext = 24')
    order = AutoOrder(config, 0.0, tmp_path / "out", tmp_path / "runs")
    seen: list[float] = []
    with pytest.raises(SettingsError, match=r"no candidate gave a figure.*ridge"):
        choose(order, SILENT, lambda candidates, seconds: seen.append(seconds))
    assert len(seen) == 2
    assert all(math.isfinite(one) for one in seen)
