from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.engine import Engine
from stream.forecaster import STATUSES
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Predictor
from stream.replay import replay
from stream.testing import CountingPredictor, NaivePredictor
from tests.stream.graphs import classifier, follower
from tests.training.evaluate.tables import FEW, HOUR_S, a_table, records_of
from tidecast.bundle import read_bundle
from tidecast.errors import DataError
from tidecast.settings import StreamSettings
from training.data.table import Table
from training.evaluate.engine_run import UNANSWERED, run

GENERAL = Path("onnx_models/general-gru/1")

Published = dict[tuple[str, int], tuple[bytes, str]]
"""Numbers and status of a forecast, by its series and origin."""


def published(predictor: Predictor, table: Table) -> Published:
    """What a worker makes of the same table: decoded records, engine, encoded messages."""
    manifest = predictor.manifest
    engine = Engine(predictor, StreamSettings(step_seconds=HOUR_S))
    found = {}
    for forecast in replay(engine, records_of(table, manifest.horizon, manifest.lead)):
        numbers = forecast.probabilities or np.array(forecast.quantiles).T.tolist()
        key = forecast.series_id, int(forecast.origin.timestamp())
        found[key] = np.array(numbers, np.float32).tobytes(), str(forecast.status)
    return found


def back_tested(predictor: Predictor, table: Table, origins: list[int]) -> Published:
    answers, statuses = run(predictor, table, np.array(origins))
    return {
        (name, table.first + origin * HOUR_S): (
            answers[row, place].tobytes(),
            str(STATUSES[statuses[row, place]]),
        )
        for row, name in enumerate(table.names)
        for place, origin in enumerate(origins)
        if statuses[row, place] != UNANSWERED
    }


PREDICTORS: dict[str, tuple[Predictor, Table]] = {
    "general": (OnnxPredictor(read_bundle(GENERAL)), a_table(slots=130)),
    "counting, three channels": (
        CountingPredictor(8, 3, ("c0", "c1", "c2")),
        a_table(channels=3),
    ),
    "without a state": (NaivePredictor(8), a_table()),
    "classifier": (OnnxPredictor(classifier()), a_table()),
    "known ahead": (
        OnnxPredictor(follower()),
        a_table(covariates=1)._replace(covariates=("plan",)),
    ),
}


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_back_test_is_what_a_worker_would_have_published(name: str) -> None:
    predictor, table = PREDICTORS[name]
    slots = table.values.shape[1]
    live = published(predictor, table)
    assert back_tested(predictor, table, list(range(slots))) == live
    some = [11, 12, 30, slots - 1]
    wanted = {table.first + origin * HOUR_S for origin in some}
    assert back_tested(predictor, table, some) == {
        key: value for key, value in live.items() if key[1] in wanted
    }


@FEW
@given(st.lists(st.integers(0, 59), min_size=1, unique=True), st.integers(0, 5))
def test_which_origins_are_wanted_changes_no_answer(origins: list[int], seed: int) -> None:
    predictor, table = CountingPredictor(5), a_table(seed=seed)
    every = run(predictor, table, np.arange(60))
    some = run(predictor, table, np.array(sorted(origins)))
    np.testing.assert_array_equal(some.answers, every.answers[:, sorted(origins)])
    np.testing.assert_array_equal(some.statuses, every.statuses[:, sorted(origins)])


def test_a_model_without_a_state_needs_no_more_than_its_window() -> None:
    table = a_table()
    late = np.array([50, 58])
    np.testing.assert_array_equal(
        run(NaivePredictor(8), table, late).answers,
        run(NaivePredictor(8), table, np.arange(60)).answers[:, late],
    )


def test_a_series_is_not_answered_for_before_it_begins() -> None:
    answers, statuses = run(NaivePredictor(8), a_table(), np.array([3, 7]))
    assert statuses[2, 0] == UNANSWERED
    assert np.isnan(answers[2, 0]).all()
    assert statuses[2, 1] != UNANSWERED


def test_data_that_do_not_fit_the_model_are_refused() -> None:
    table, two = a_table(), a_table(channels=2)
    with pytest.raises(DataError, match="needs the channel 'value', the data have c0, c1"):
        run(CountingPredictor(), two, np.array([3]))
    with pytest.raises(DataError, match="needs the covariate 'plan'"):
        run(OnnxPredictor(follower()), table, np.array([3]))
    for origins in ([], [3, 3], [-1], [60]):
        with pytest.raises(DataError, match="within the data's 60 slots"):
            run(CountingPredictor(), table, np.array(origins, np.int64))
