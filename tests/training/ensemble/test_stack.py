"""Weights of stacked ensembles: on the simplex, and the best there on validation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.classic.toy import TASKS, late, rows_of, wave
from tests.training.ensemble.test_ensemble import classifier, streaming, windowed
from tidecast.errors import DataError
from training.ensemble.answers import answers_of
from training.ensemble.build import ensemble
from training.ensemble.stack import best_weights, log_loss_of, pinball_of
from training.graphs import run_graph

LEVELS = (0.1, 0.5, 0.9)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_weights_are_shares_and_none_does_better(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    targets = random.normal(0, 1, (40, 3))
    targets[random.random(targets.shape) < 0.2] = np.nan
    answers = targets[None, ..., None].repeat(3, -1) + random.normal(0, 1, (count, 40, 3, 3))
    answers = np.sort(np.nan_to_num(answers), -1)
    loss = pinball_of(answers, targets, LEVELS, random.uniform(0, 2, 40).round())
    weights = best_weights(loss, count)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    best = loss(weights)[0]
    others = [*np.eye(count), *random.dirichlet(np.ones(count), 20)]
    assert best <= min(loss(other)[0] for other in others) + 1e-3


@given(st.integers(0, 10_000))
def test_slopes_are_those_of_the_losses(seed: int) -> None:
    random = np.random.default_rng(seed)
    pinball = pinball_of(
        random.normal(0, 1, (2, 9, 2, 3)), random.normal(0, 1, (9, 2)), LEVELS, np.ones(9)
    )
    shares = random.dirichlet(np.ones(3), (2, 9))
    log_loss = log_loss_of(shares, random.integers(0, 3, 9).astype(np.float32))
    at, step = np.array([0.4, 0.6]), np.array([1e-7, 0])
    for loss in (pinball, log_loss):
        rise = (loss(at + step)[0] - loss(at - step)[0]) / 2e-7
        assert loss(at)[1][0] == pytest.approx(rise, abs=1e-4)


def test_a_member_of_no_use_is_left_out_of_the_graph() -> None:
    rows = late(rows_of(TASKS["forecast"], wave()))
    useful = [windowed("ridge"), windowed("forest")]
    joined = ensemble([streaming(12, 5, 1), *useful], "stacked", rows)
    assert joined.weights[0] == 0
    assert joined.state_size == 0
    each = [run_graph(member.graph, rows.feed)["forecast"] for member in useful]
    found = run_graph(joined.graph, rows.feed)["forecast"]
    np.testing.assert_allclose(found, np.tensordot(joined.weights[1:], each, 1), rtol=1e-5)


def test_a_stack_of_classifiers_is_no_worse_than_any_on_validation() -> None:
    rows = late(rows_of(TASKS["three classes"], wave()))
    members = [classifier(family) for family in ("logistic", "forest", "boosting")]
    joined = ensemble(members, "stacked", rows)
    classes = rows.targets.astype(int)

    def charged(graph: bytes) -> float:
        probability = run_graph(graph, rows.feed)["probability"]
        return float(-np.log(probability[np.arange(len(classes)), classes]).mean())

    assert charged(joined.graph) <= min(charged(member.graph) for member in members) + 1e-3


def test_a_streaming_member_is_asked_as_the_worker_would_a_series_that_it_knows_no_longer() -> None:
    member = streaming(12, 5, 1)
    rows = rows_of(TASKS["forecast"], wave()).take(np.arange(5))
    found = answers_of(member, rows)
    cold = answers_of(member, rows._replace(windows=rows.windows[:, -12:]))
    np.testing.assert_array_equal(found, cold)
    with pytest.raises(DataError, match="windows of 5 slots are too short for tried/1"):
        answers_of(member, rows._replace(windows=rows.windows[:, -5:]))
