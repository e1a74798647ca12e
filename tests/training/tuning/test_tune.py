from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest
from optuna.trial import create_trial
from typer.testing import CliRunner

from tests.training.tuning.toy import NLINEAR, SILENT, folder_with
from tidecast.bundle import read_bundle
from tidecast.errors import SettingsError
from training.cli import app
from training.config import SingleFamily, read_toml
from training.data.folds import RollingFolds
from training.fit import Progress
from training.fitting.fitted import Listener
from training.models.linear import DLinearConfig, NLinearConfig
from training.tuning.attempt import Bench, Turn, attempt, first_step
from training.tuning.search import SearchConfig, read_search
from training.tuning.space import Dimension
from training.tuning.trials import Trials, Tried, open_study
from training.tuning.tune import Found, TuneOrder, tune

SEARCH = """
method = "grid"
origins = 12
[space]
"model.penalty" = { low = 0.5, high = 100.5, step = 100.0 }
"model.context" = { choices = [24, 0] }
"""
RATE = "fit.optimiser.learning_rate"


def command(folder: Path, *more: str) -> list[str]:
    paths = {"config": "recipe.toml", "search": "search.toml", "out": "out", "runs": "runs"}
    named = [word for name, path in paths.items() for word in (f"--{name}", str(folder / path))]
    return ["tune", *named, *more]


def searched(folder: Path, search: SearchConfig, listener: Listener = SILENT) -> list[Tried]:
    """The trials of a search, which also builds its best recipe."""
    seen: list[list[Tried]] = []
    order = TuneOrder(folder / "recipe.toml", search, folder / "out", folder / "runs")
    found = tune(order, listener, lambda over, most: seen.append(over))
    assert isinstance(found, Found)
    return seen[-1]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose recipe was searched by the command, in two processes."""
    folder = tmp_path_factory.mktemp("tuned")
    folder_with(folder)
    (folder / "search.toml").write_text(SEARCH)
    done = CliRunner().invoke(app, command(folder, "--jobs", "2"), catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.split() == [
        str(folder / "runs/toy-1-search/search.html"),
        str(folder / "out/toy/1"),
    ]
    return folder


def test_the_best_trial_becomes_a_bundle_with_its_recipe(tuned: Path) -> None:
    trials = Trials(tuned / "runs/toy-1-search", read_search(tuned / "search.toml")).over()
    assert len(trials) == 4
    best = min(
        (one for one in trials if one.outcome.figure is not None),
        key=lambda one: one.outcome.figure or 0,
    )
    manifest = read_bundle(tuned / "out/toy/1").manifest
    assert manifest.training["model"]["penalty"] == best.settings["model.penalty"]
    assert manifest.context == best.settings["model.context"]
    assert "test part" in manifest.figures["back_tests"]


def test_the_recipe_beside_the_bundle_can_be_fitted_again(tuned: Path) -> None:
    bundle = read_bundle(tuned / "out/toy/1")
    written = tuned / "out/toy/1/recipe.toml"
    again = ["fit", "--config", str(written), "--out", str(tuned / "again"), "--runs"]
    done = CliRunner().invoke(app, [*again, str(tuned / "r")], catch_exceptions=False)
    assert done.exit_code == 0
    assert read_bundle(tuned / "again/toy/1").graph == bundle.graph
    assert not Path(tomllib.loads(written.read_text())["data"]["path"]).is_absolute()


def test_a_trial_whose_settings_contradict_each_other_fails_alone(tuned: Path) -> None:
    trials = Trials(tuned / "runs/toy-1-search", read_search(tuned / "search.toml")).over()
    for trial in trials:
        contradicts = trial.settings["model.context"] == 0
        assert trial.outcome.state == ("failed" if contradicts else "done")
        assert ("context" in trial.outcome.message) == contradicts


def test_the_page_shows_every_trial_and_setting(tuned: Path) -> None:
    page = (tuned / "runs/toy-1-search/search.html").read_text()
    for words in ("model.penalty", "model.context", "best so far", "Trials, best first"):
        assert words in page
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http://www.w3.org", "")


def test_another_recipe_does_not_go_on_from_here(tuned: Path) -> None:
    recipe = read_toml(tuned / "recipe.toml", "recipe")
    (tuned / "other.toml").write_text((tuned / "recipe.toml").read_text() + "\nrows = 50\n")
    order = TuneOrder(
        tuned / "other.toml", read_search(tuned / "search.toml"), tuned / "out", tuned / "runs"
    )
    assert recipe["name"] == "toy"
    with pytest.raises(SettingsError, match="another recipe, other data"):
        tune(order, SILENT, lambda over, most: None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[space]", "space"),
        ("trials = 0\n[space]\nseed = { choices = [1] }", "trials"),
        ('method = "genetic"\n[space]\nseed = { choices = [1] }', "genetic"),
        ("tries = 3\n[space]\nseed = { choices = [1] }", "tries"),
        ("[space]\nseed = { low = 1 }", "either choices"),
        ('[folds]\nkind = "odd"\n[space]\nseed = { choices = [1] }', "odd"),
        ("[space", "not TOML"),
    ],
)
def test_a_wrong_search_file_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "search.toml").write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        read_search(tmp_path / "search.toml")
    assert "\n" not in str(caught.value)


def test_a_path_unknown_to_the_recipe_ends_the_search_before_it_begins(tmp_path: Path) -> None:
    folder_with(tmp_path)
    with pytest.raises(SettingsError, match="the recipe has no model"):
        searched(tmp_path, SearchConfig({"model.penalti": Dimension(choices=(1.0,))}))
    assert not (tmp_path / "runs").exists()


def test_a_search_of_which_nothing_succeeds_says_why(tmp_path: Path) -> None:
    folder_with(tmp_path)
    space = {"model.context": Dimension(choices=(0, -1))}
    with pytest.raises(SettingsError, match=r"no trial gave a figure.*context"):
        searched(tmp_path, SearchConfig(space, method="grid", trials=2))


def test_a_killed_search_goes_on_within_the_trial_that_was_running(tmp_path: Path) -> None:
    folder_with(tmp_path, NLINEAR)
    search = SearchConfig(
        {RATE: Dimension(choices=(0.001, 0.003))}, method="grid", origins=8, prune=False
    )

    class KilledError(Exception):
        pass

    def kill(now: Progress) -> None:
        if now.step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        searched(tmp_path, search, Listener(kill, SILENT.stage))
    steps: list[int] = []
    trials = searched(tmp_path, search, Listener(lambda now: steps.append(now.step), SILENT.stage))
    assert steps[:4] == [5, 6, 7, 8]
    assert [one.settings[RATE] for one in trials] == [0.001, 0.003]
    assert [one.outcome.state for one in trials] == ["done", "done"]


def test_the_figure_is_the_mean_over_folds(tmp_path: Path) -> None:
    folder_with(tmp_path)
    space = {"model.penalty": Dimension(choices=(1.0,))}
    apart = [
        searched_once(tmp_path / str(number), space, RollingFolds(30, 2 + number))
        for number in range(2)
    ]
    assert apart[0] != apart[1]


def searched_once(folder: Path, space: dict[str, Dimension], folds: RollingFolds) -> float | None:
    folder.mkdir()
    folder_with(folder)
    (trial,) = searched(folder, SearchConfig(space, trials=1, folds=folds, origins=5))
    return trial.outcome.figure


@pytest.mark.parametrize(
    ("earlier", "state"), [(NLinearConfig(), "pruned"), (DLinearConfig(), "done")]
)
def test_a_fit_far_behind_those_of_its_own_family_is_pruned(
    earlier: SingleFamily, state: str, tmp_path: Path
) -> None:
    document = read_toml(folder_with(tmp_path, NLINEAR), "recipe")
    space = {RATE: Dimension(choices=(0.001,))}
    study = open_study(tmp_path, prune=True)
    for _ in range(4):
        far_better = {first_step(earlier) + step: -1.0 for step in (2, 4, 6, 8)}
        study.add_trial(
            create_trial(
                params={RATE: 0.001},
                distributions={RATE: space[RATE].distribution},
                value=0.1,
                intermediate_values=far_better,
            )
        )
    asked = Trials(tmp_path, SearchConfig(space, trials=5)).ask()
    assert asked is not None
    bench = Bench(
        msgspec.json.encode(document), tmp_path, tmp_path, None, 5, True, tmp_path / "runs", None
    )
    assert attempt(bench, Turn(asked, document), SILENT).state == state
