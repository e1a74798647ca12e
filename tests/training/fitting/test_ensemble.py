"""The band of a fitted ensemble is as wide as the validation part says, as a whole."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace

from stream.onnx_predictor import OnnxPredictor
from tests.training.fitting.toy import (
    CONTEXT,
    FIRST_S,
    HORIZON,
    HOUR_S,
    SILENT,
    STREAMING,
    history_of,
    recipe_of,
)
from tidecast.bundle import Bundle
from training.classic.forest import ForestConfig
from training.config import EnsembleConfig, Recipe, SyntheticSource
from training.data.table import Table, split
from training.ensemble.build import ensemble
from training.evaluate.back_test import BackTest, back_test
from training.evaluate.case import Case
from training.fitting.ensemble import fit_ensemble, validation_rows
from training.fitting.family import fit_family
from training.fitting.fitted import Fitted, Job, Listener
from training.fitting.manifest import manifest_of
from training.source import History, Provenance, open_source

TREES: Final = EnsembleConfig((ForestConfig(CONTEXT, trees=1, leaves=150),) * 4, "mean")
"""Each errs by a tree of its own, so that together they err by much less."""
ASKED: Final = 0.8
NOWHERE: Final = Path()
"""Trees are fitted at once, and leave no checkpoint."""
METHODS: Final = ("mean", "median", "stacked")
Method = Literal["mean", "median", "stacked"]


class Pair(NamedTuple):
    """An ensemble as it was fitted, and its members joined with nothing else done to them."""

    job: Job
    fitted: Bundle
    plain: Bundle
    told: list[str]


def pair_of(
    recipe: Recipe, config: EnsembleConfig, history: History, folder: Path = NOWHERE
) -> Pair:
    members: list[Fitted] = []
    told: list[str] = []

    def fit_member(job: Job, listener: Listener) -> Fitted:
        members.append(fit_family(job, listener))
        return members[-1]

    recipe = replace(recipe, model=config)
    job = Job(recipe, history, folder / "fit.checkpoint")
    fitted = fit_ensemble(config, job, Listener(SILENT.step, told.append), fit_member)
    bundles = [Bundle(manifest_of(recipe, history, one), one.graph) for one in members]
    plain = ensemble(bundles, config.method, validation_rows(job, config, bundles)).graph
    return Pair(
        job,
        Bundle(manifest_of(recipe, history, fitted), fitted.graph),
        Bundle(manifest_of(recipe, history, fitted._replace(graph=plain)), plain),
        told,
    )


def waves() -> History:
    """Twelve noisy daily waves, of which half are a million times as large."""
    rng = np.random.default_rng(2)
    clock = np.arange(700) / 24 * 2 * np.pi
    load = 50 + 10 * np.sin(clock + rng.uniform(0, 6, (12, 1))) + rng.normal(0, 2, (12, 700))
    load[::2] *= 1e6
    names = tuple(f"series {number}" for number in range(12))
    table = Table(names, load.astype(np.float32)[..., None], ("load",), FIRST_S, HOUR_S)
    return History(table, split(table, 0.3, 0.3, HORIZON), Provenance("0" * 64, "none", HOUR_S, {}))


@cache
def trees(method: Method) -> Pair:
    return pair_of(recipe_of("forest", "forecast"), replace(TREES, method=method), waves())


def ran_over(bundle: Bundle, case: Case) -> BackTest:
    return back_test(OnnxPredictor(bundle), case)


def coverage(test: BackTest) -> float:
    known = ~np.isnan(test.judged)
    truth, answers = test.judged[known], test.run.answers[known]
    return float(((answers[:, 0] <= truth) & (truth <= answers[:, -1])).mean())


@pytest.mark.parametrize("method", METHODS)
def test_the_members_band_is_too_wide_and_that_of_the_ensemble_is_not(method: Method) -> None:
    job, fitted, plain, told = trees(method)
    assert isinstance(job.source, History)
    case = job.source.case("validation part", job.recipe, job.source.cut.validation)
    before, after = ran_over(plain, case), ran_over(fitted, case)
    assert coverage(before) > ASKED + 0.03
    assert coverage(after) == pytest.approx(ASKED, abs=0.005)
    unseen = ran_over(fitted, job.source.test(job.recipe))
    assert coverage(unseen) == pytest.approx(ASKED, abs=0.03)
    np.testing.assert_array_equal(before.run.answers[..., 1], after.run.answers[..., 1])
    assert told[-1] == "calibrating the ensemble"
    stretch = fitted.manifest.figures["stretch"]
    assert len(stretch) == 2
    assert max(stretch) < 1


def test_nothing_of_the_test_part_is_looked_at() -> None:
    job, fitted, _, _ = trees("mean")
    assert isinstance(job.source, History)
    table, cut, _ = job.source
    values = table.values.copy()
    values[:, cut.test :] *= -3
    other = job.source._replace(table=table._replace(values=values))
    again = pair_of(job.recipe, TREES, other)
    assert again.fitted.graph == fitted.graph
    case = job.source.validation(job.recipe, 7)
    assert len(case.origins) == 7
    assert case.origins[-1] + HORIZON == case.table.values.shape[1] - 1 == cut.test - 1


def test_five_levels_each_have_their_share_below() -> None:
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    recipe = recipe_of("forest", "forecast")
    recipe = replace(recipe, task=replace(recipe.task, quantile_levels=levels))
    history = waves()
    found = pair_of(recipe, TREES, history).fitted
    test = ran_over(found, history.validation(recipe, 1000))
    below = (test.judged[..., None] < test.run.answers)[~np.isnan(test.judged)].mean(0)
    others = [0, 1, 3, 4]
    assert below[others] == pytest.approx(np.array(levels)[others], abs=0.005)
    assert len(found.manifest.figures["stretch"]) == 4


def test_a_validation_part_of_few_targets_changes_nothing(tmp_path: Path) -> None:
    recipe = recipe_of("ensemble", "regression")
    assert isinstance(recipe.model, EnsembleConfig)
    found = pair_of(recipe, recipe.model, history_of(recipe), tmp_path)
    assert found.fitted.manifest.figures["stretch"] == [1, 1]
    assert found.fitted.graph == found.plain.graph


@pytest.mark.parametrize("method", METHODS)
def test_classifiers_are_joined_as_they_are(method: Method, tmp_path: Path) -> None:
    recipe = recipe_of("ensemble", "classification")
    assert isinstance(recipe.model, EnsembleConfig)
    config = replace(recipe.model, method=method)
    found = pair_of(recipe, config, history_of(recipe), tmp_path)
    assert found.fitted.graph == found.plain.graph
    assert "stretch" not in found.fitted.manifest.figures
    assert "calibrating the ensemble" not in found.told


def test_a_median_alone_has_no_band() -> None:
    recipe = recipe_of("forest", "forecast")
    recipe = replace(recipe, task=replace(recipe.task, quantile_levels=(0.5,)))
    found = pair_of(recipe, TREES, waves())
    assert found.fitted.graph == found.plain.graph
    assert "calibrating the ensemble" not in found.told


def test_series_without_end_leave_the_band_to_the_members(tmp_path: Path) -> None:
    config = EnsembleConfig((STREAMING["streaming-gru"],) * 2, "mean")
    recipe = recipe_of("streaming-gru", "forecast")
    recipe = replace(
        recipe,
        data=SyntheticSource(),
        task=replace(recipe.task, target="value"),
        model=config,
        units={},
    )
    job = Job(recipe, open_source(recipe, tmp_path), tmp_path / "fit.checkpoint")
    fitted = fit_ensemble(config, job, SILENT, fit_family)
    assert "stretch" not in fitted.figures
    members = fitted.figures["members"]
    assert isinstance(members, list)
    assert all(len(member["stretch"]) == 2 for member in members)
