"""Every classic family on every task that it has an answer to, from rows to the engine."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import pytest

from stream.onnx_predictor import ALLOWED_DOMAINS
from tests.training.bundles import bundle_of, served
from tests.training.classic.toy import (
    CASES,
    CLASSIFIERS,
    CONTEXT,
    HORIZON,
    HOUR,
    REGRESSORS,
    TASKS,
    early,
    job_of,
    late,
    rows_of,
    wave,
)
from tidecast.bundle import Bundle
from training.classic.fit import Classic, fit_classic
from training.classic.parity import TOLERANCE
from training.graphs import run_graph
from training.tasks.classification import ClassificationTask

EVERY = pytest.mark.parametrize(("family", "task"), CASES)


@cache
def fitted(family: str, task: str) -> Classic:
    """One fit serves all tests of a case."""
    return fit_classic(job_of(family, TASKS[task]), early(rows_of(TASKS[task], wave())))


def bundled(family: str, task: str) -> Bundle:
    asked = TASKS[task]
    graph = fitted(family, task).graph
    if not isinstance(asked, ClassificationTask):
        horizon = HORIZON if task == "forecast" else 1
        lead, target = (1, "value") if task == "forecast" else (0, "load")
        return bundle_of(graph, CONTEXT, horizon, task=task, target=target, lead=lead)
    return bundle_of(
        graph,
        CONTEXT,
        task="classification",
        target="phase",
        lead=0,
        classes=asked.classes,
        quantile_levels=(),
    )


@pytest.mark.parametrize("task", ["forecast", "regression"])
@pytest.mark.parametrize("family", REGRESSORS)
def test_its_median_beats_a_constant_and_its_band_holds_most(family: str, task: str) -> None:
    rows = late(rows_of(TASKS[task], wave()))
    forecast = run_graph(fitted(family, task).graph, rows.feed)["forecast"]
    targets = rows.targets.reshape(forecast.shape[:2])
    low, median, high = np.moveaxis(forecast, -1, 0)
    constant = np.nanmedian(targets)
    assert np.nanmean(np.abs(median - targets)) < 0.6 * np.nanmean(np.abs(constant - targets))
    known = ~np.isnan(targets)
    assert 0.6 < ((low <= targets) & (targets <= high))[known].mean() < 0.97


@pytest.mark.parametrize("task", ["two classes", "three classes"])
@pytest.mark.parametrize("family", CLASSIFIERS)
def test_its_classes_beat_the_shares_of_the_classes(family: str, task: str) -> None:
    rows = late(rows_of(TASKS[task], wave()))
    probability = run_graph(fitted(family, task).graph, rows.feed)["probability"]
    wanted = rows.targets.astype(int)
    shares = np.bincount(wanted) / len(wanted)
    charged = -np.log(probability[np.arange(len(wanted)), wanted]).mean()
    assert charged < 0.7 * -(shares * np.log(shares)).sum()
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-6)


@EVERY
def test_whatever_the_window_the_answer_is_finite_and_in_order(family: str, task: str) -> None:
    random = np.random.default_rng(4)
    windows = random.normal(100, 10, (60, CONTEXT, 1)).astype(np.float32)
    windows[random.random(windows.shape) < 0.3] = np.nan
    windows[0], windows[1], windows[2] = np.nan, 7, 1e35
    windows[3, -1] = 1e-30
    feed = {"window": windows, "origin": np.arange(60) * HOUR}
    (answer,) = run_graph(fitted(family, task).graph, feed).values()
    assert np.isfinite(answer).all()
    if answer.ndim == 3:
        assert (np.diff(answer, axis=-1) >= 0).all()


@EVERY
def test_the_engine_answers_what_the_graph_does(family: str, task: str) -> None:
    values = wave()[: CONTEXT + 6]
    values[-1] = np.nan
    bundle = bundled(family, task)
    found = served(bundle, values, first_s=0, step_s=HOUR)
    windows = np.lib.stride_tricks.sliding_window_view(values, CONTEXT)[..., None]
    origins = (np.arange(len(windows)) + CONTEXT - 1) * HOUR
    (expected,) = run_graph(bundle.graph, {"window": windows, "origin": origins}).values()
    expected = expected.reshape(len(windows), *found.shape[1:])
    np.testing.assert_allclose(found[CONTEXT - 1 :], expected, rtol=1e-5, atol=1e-6)


@EVERY
def test_the_graph_is_scikit_learn_s_model_in_onnx_s_own_operators(family: str, task: str) -> None:
    model = fitted(family, task)
    assert model.parity < TOLERANCE / 10
    graph = onnx.load_model_from_string(model.graph)
    assert {opset.domain for opset in graph.opset_import} <= ALLOWED_DOMAINS
    assert [node.name for node in graph.graph.input] == ["window", "origin"]
