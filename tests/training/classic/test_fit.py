"""What a fit makes of its rows, and which rows and settings it refuses."""

from __future__ import annotations

import msgspec
import numpy as np
import onnx
import pytest

from tests.training.classic.toy import (
    CONTEXT,
    HORIZON,
    HOUR,
    SMALL,
    TASKS,
    early,
    front_of,
    job_of,
    late,
    rows_of,
    wave,
)
from tidecast.errors import BundleError, DataError, SettingsError
from training.classic.assemble import require_small
from training.classic.fit import fit_classic
from training.classic.svm import SvmConfig
from training.graphs import run_graph
from training.rows import Rows
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask

FORECAST = TASKS["forecast"]
STATE = ClassificationTask("state", ("calm", "failing"), weights="balanced")


def operators(graph: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_model_from_string(graph).graph.node]


def test_what_is_known_ahead_helps() -> None:
    rows = rows_of(FORECAST, wave())
    plan = np.random.default_rng(2).normal(0, 30, (len(rows.origins), HORIZON, 1))
    rows = rows._replace(
        targets=rows.targets + plan[..., 0].astype(np.float32), future=plan.astype(np.float32)
    )
    model = fit_classic(job_of("ridge", FORECAST, covariates=(0.0, 30.0)), early(rows))
    judged = late(rows)
    median = run_graph(model.graph, judged.feed)["forecast"][..., 1]
    # The plan alone moves the targets by 24 in the mean.
    assert np.nanmean(np.abs(median - judged.targets)) < 6


@pytest.mark.parametrize("family", ["logistic", "svm", "forest", "boosting"])
def test_a_rare_class_counts_as_much_as_the_other_where_the_task_says_so(family: str) -> None:
    values = np.random.default_rng(3).normal(0, 1, 400).astype(np.float32)
    rows = rows_of(FORECAST, values)
    failing = (np.arange(len(rows.origins)) % 25 == 0).astype(np.float32)
    rows = rows._replace(targets=failing)
    plain, balanced = (
        fit_classic(job_of(family, msgspec.structs.replace(STATE, weights=weights)), rows)
        for weights in ("none", "balanced")
    )
    found = [run_graph(model.graph, rows.feed)["probability"] for model in (plain, balanced)]
    assert found[0][:, 1].mean() < 0.1
    assert found[1][:, 1].mean() > 2 * found[0][:, 1].mean()


@pytest.mark.parametrize("family", ["svm", "forest", "boosting"])
def test_the_same_rows_and_seed_make_the_same_graph(family: str) -> None:
    rows = early(rows_of(FORECAST, wave()))
    job = job_of(family, FORECAST)
    assert fit_classic(job, rows).graph == fit_classic(job, rows).graph


def test_more_rows_than_a_family_takes_are_sampled_and_the_newest_held_back() -> None:
    model = fit_classic(job_of("svm", FORECAST), early(rows_of(FORECAST, wave())))
    assert model.rows == 150
    assert model.held == 60


@pytest.mark.parametrize("family", ["forest", "boosting"])
def test_all_leads_share_one_ensemble_of_trees(family: str) -> None:
    graph = fit_classic(job_of(family, FORECAST), early(rows_of(FORECAST, wave()))).graph
    assert operators(graph).count("TreeEnsembleRegressor") == 1


def test_all_leads_share_one_set_of_support_vectors() -> None:
    rows = early(rows_of(FORECAST, wave()))
    graph = fit_classic(job_of("svm", FORECAST), rows).graph
    vectors = 4 * 150 * front_of(FORECAST).shape.flat
    assert len(graph) < 1.5 * vectors + 10_000


def test_gaps_in_the_horizon_are_bridged_and_hopeless_rows_left_out() -> None:
    rows = early(rows_of(FORECAST, wave()))
    targets = rows.targets.copy()
    targets[::2, 1] = np.nan
    targets[::10] = np.nan
    model = fit_classic(job_of("ridge", FORECAST), rows._replace(targets=targets))
    assert model.rows + model.held <= 270
    median = run_graph(model.graph, rows.feed)["forecast"][..., 1]
    assert np.nanmean(np.abs(median - rows.targets)) < 2


@pytest.mark.parametrize(("family", "task"), [("logistic", "forecast"), ("ridge", "two classes")])
def test_a_family_without_an_estimator_for_the_task_names_another(family: str, task: str) -> None:
    with pytest.raises(SettingsError, match="take `"):
        fit_classic(job_of(family, TASKS[task]), rows_of(TASKS[task], wave()))


def test_rows_of_another_shape_are_refused() -> None:
    rows = rows_of(FORECAST, wave())
    for wrong, message in (
        (rows._replace(windows=rows.windows[:, 1:]), f"windows: .* wants .*{CONTEXT}, 1"),
        (rows._replace(targets=rows.targets[:, 0]), "targets: "),
        (rows._replace(origins=rows.origins[:-1]), "origins: "),
        (rows._replace(future=rows.targets[..., None]), "future: "),
    ):
        with pytest.raises(DataError, match=message):
            fit_classic(job_of("ridge", FORECAST), wrong)


def test_too_few_rows_are_refused() -> None:
    rows = rows_of(FORECAST, wave()).take(np.arange(20))
    with pytest.raises(DataError, match=r"20 windows .* longer history"):
        fit_classic(job_of("ridge", FORECAST), rows)


@pytest.mark.parametrize(
    ("targets", "message"),
    [([0.0], "no training row is of class failing"), ([0.0, 1.0, 2.0], r"targets \[2\] are no")],
)
def test_classes_and_rows_must_agree(targets: list[float], message: str) -> None:
    rows = rows_of(STATE, wave())
    labels = np.resize(np.array(targets, np.float32), len(rows.origins))
    with pytest.raises(DataError, match=message):
        fit_classic(job_of("forest", STATE), rows._replace(targets=labels))


def test_a_class_too_rare_to_set_probabilities_by_is_refused() -> None:
    rows = rows_of(STATE, wave())
    labels = np.zeros(len(rows.origins), np.float32)
    labels[100] = 1
    with pytest.raises(DataError, match="cannot learn from these rows"):
        fit_classic(job_of("svm", STATE), rows._replace(targets=labels))


def test_a_graph_that_is_too_large_says_which_settings_to_lower() -> None:
    with pytest.raises(BundleError, match=r"6\.0 MB, more than 5\.0; take fewer `trees`"):
        require_small(b"0" * 6_000_000, SMALL["forest"])


@pytest.mark.parametrize("wrong", [{"cost": 0}, {"rows": 0}, {"tube": -1}, {"kernel": "rbf"}])
def test_a_setting_out_of_range_or_unknown_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"family": "svm", **wrong}, SvmConfig)


@pytest.mark.parametrize("family", ["ridge", "svm", "forest", "boosting"])
def test_a_horizon_of_one_is_a_forecast_too(family: str) -> None:
    task = ForecastTask("value", 1)
    rows = rows_of(FORECAST, wave())
    rows = early(Rows(rows.windows, rows.origins, rows.targets[:, :1]))
    graph = fit_classic(job_of(family, task), rows).graph
    feed = {"window": rows.windows[:5], "origin": np.arange(5) * HOUR}
    assert run_graph(graph, feed)["forecast"].shape == (5, 1, 3)
