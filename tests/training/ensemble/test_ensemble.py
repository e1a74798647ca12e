"""An ensemble's graph against its members, run one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
import numpy as np
import onnx
import pytest
import torch

from stream.grid import FloatArray
from tests.training.bundles import bundle_of, served
from tests.training.classic.toy import CONTEXT, HORIZON, HOUR, TASKS, early, job_of, rows_of, wave
from tidecast.bundle import Bundle, Channel
from tidecast.errors import BundleError, SettingsError
from training.classic.fit import fit_classic
from training.ensemble.build import Ensemble, Method, ensemble
from training.export import export
from training.graphs import run_graph
from training.models.forecaster import Forecaster
from training.models.streaming_gru import StreamingGruConfig
from training.tasks.forecast import ForecastTask

CLASSES = ("low", "middle", "high")
JUDGE: Final[dict[str, Any]] = {
    "task": "classification",
    "target": "phase",
    "lead": 0,
    "classes": CLASSES,
    "quantile_levels": (),
}


@cache
def streaming(context: int, hidden: int, seed: int) -> Bundle:
    """A small GRU that has learnt nothing, with weights large enough to matter."""
    torch.manual_seed(seed)
    config = StreamingGruConfig(context, inputs=6, bands=6, width=12, summary=8, hidden=hidden)
    model = Forecaster(config, ForecastTask(horizon=HORIZON))
    with torch.no_grad():
        model.head.weight *= 20
    return bundle_of(export(model.eval()), context, HORIZON, model.state_size)


@cache
def windowed(family: str) -> Bundle:
    rows = early(rows_of(TASKS["forecast"], wave()))
    graph = fit_classic(job_of(family, TASKS["forecast"]), rows).graph
    return bundle_of(graph, CONTEXT, HORIZON)


@cache
def classifier(family: str) -> Bundle:
    rows = early(rows_of(TASKS["three classes"], wave()))
    graph = fit_classic(job_of(family, TASKS["three classes"]), rows).graph
    return bundle_of(graph, CONTEXT, **JUDGE)


def forecasters(count: int) -> list[Bundle]:
    """Members of every kind: two that stream, with windows of their own, and windowed ones."""
    members = [streaming(12, 5, 1), windowed("ridge"), streaming(CONTEXT, 3, 2)]
    return [*members, windowed("forest")][:count]


def as_bundle(joined: Ensemble, **changes: object) -> Bundle:
    horizon = 1 if changes else HORIZON
    return bundle_of(joined.graph, joined.context, horizon, joined.state_size, **changes)


def carried(members: Sequence[Bundle], values: FloatArray) -> list[FloatArray]:
    """What each member's engine answers to a series: [T, horizon, width] each."""
    return [served(member, values, first_s=0, step_s=HOUR) for member in members]


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize(("method", "combine"), [("mean", np.mean), ("median", np.median)])
def test_over_fifty_slots_it_is_the_members_mean_or_median(
    method: Method, combine: np.ufunc, count: int
) -> None:
    members = forecasters(count)
    values = wave()[:50]
    joined = ensemble(members, method)
    assert joined.context == CONTEXT
    assert joined.state_size == sum(member.manifest.state_size for member in members)
    (found,) = carried([as_bundle(joined)], values)
    expected = combine(carried(members, values), axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
    assert (np.diff(found, axis=-1) >= 0).all()


@pytest.mark.parametrize("method", ["mean", "median"])
def test_of_classifiers_too_and_the_sum_is_one(method: Method) -> None:
    members = [classifier(family) for family in ("logistic", "forest", "boosting")]
    rows = rows_of(TASKS["three classes"], wave())
    joined = ensemble(members, method)
    found = run_graph(joined.graph, rows.feed)["probability"]
    each = [run_graph(member.graph, rows.feed)["probability"] for member in members]
    expected = np.mean(each, axis=0) if method == "mean" else np.median(each, axis=0)
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)
    answers = served(as_bundle(joined, **JUDGE), wave()[:30], first_s=0, step_s=HOUR)
    assert answers.shape == (30, 1, 3)


def test_answers_at_the_end_of_float32_have_a_mean() -> None:
    joined = ensemble([windowed("ridge")] * 5, "mean")
    window = np.full((1, CONTEXT, 1), 3e36, np.float32)
    window[0, ::2] = -3e36
    found = run_graph(joined.graph, {"window": window, "origin": np.zeros(1, np.int64)})
    assert np.isfinite(found["forecast"]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantile_levels": (0.2, 0.5, 0.8)}, r"tried/1 has quantile_levels \(0.2, 0.5, 0.8\)"),
        ({"horizon": 9}, "has horizon 9"),
        ({"channels": (Channel("value", "MW"),)}, "MW"),
        ({"step_seconds": 60}, "steps of"),
    ],
)
def test_members_that_do_not_fit_together_are_refused(
    changes: dict[str, object], message: str
) -> None:
    first, other = windowed("ridge"), windowed("forest")
    hourly = msgspec.structs.replace(first.manifest, step_seconds=3600)
    strange = Bundle(msgspec.structs.replace(other.manifest, **changes), other.graph)
    with pytest.raises(BundleError, match=message):
        ensemble([Bundle(hourly, first.graph), strange], "mean")


def test_members_that_know_what_comes_join_such_as_do_not() -> None:
    rows = rows_of(TASKS["forecast"], wave())
    plan = np.random.default_rng(2).normal(0, 30, (len(rows.origins), HORIZON, 1))
    rows = early(rows._replace(future=plan.astype(np.float32)))
    graph = fit_classic(job_of("ridge", TASKS["forecast"], covariates=(0.0, 30.0)), rows).graph
    planner = bundle_of(graph, CONTEXT, HORIZON, future=(Channel("plan"),))
    joined = ensemble([windowed("ridge"), planner], "mean")
    each = [run_graph(member, rows.feed)["forecast"] for member in (windowed("ridge").graph, graph)]
    found = run_graph(joined.graph, rows.feed)["forecast"]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-5)
    other = Bundle(msgspec.structs.replace(planner.manifest, future=(Channel("b"),)), graph)
    with pytest.raises(BundleError, match="different covariates"):
        ensemble([planner, other], "mean")


def test_a_graph_of_other_operators_is_to_be_trained_anew() -> None:
    member = windowed("ridge")
    model = onnx.load_model_from_string(member.graph)
    model.opset_import[0].version = 17
    old = Bundle(member.manifest, model.SerializeToString())
    with pytest.raises(BundleError, match=r"tried/1 has operators .* train it anew"):
        ensemble([member, old], "mean")


def test_one_member_is_no_ensemble() -> None:
    with pytest.raises(BundleError, match="two members or more, not 1"):
        ensemble([windowed("ridge")], "median")


def test_members_for_a_step_and_for_any_make_one_for_that_step() -> None:
    first, other = windowed("ridge"), windowed("forest")
    hourly = Bundle(msgspec.structs.replace(first.manifest, step_seconds=3600), first.graph)
    assert ensemble([hourly, other], "mean").step_seconds == 3600


def test_a_stack_needs_rows_to_fit_its_weights_on() -> None:
    with pytest.raises(SettingsError, match="validation rows"):
        ensemble(forecasters(2), "stacked")
