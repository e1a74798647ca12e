from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream.onnx_predictor import OnnxPredictor
from tests.stream.graphs import follower
from tests.training.evaluate.tables import a_table
from tidecast.bundle import read_bundle
from tidecast.errors import DataError
from training.data.table import Table
from training.data.waves import Floats
from training.evaluate.engine_run import run
from training.evaluate.leak import check_answers, check_no_leak


@pytest.mark.parametrize("name", ["general-gru", "general-lstm"])
def test_the_shipped_models_do_not_look_ahead(name: str) -> None:
    predictor = OnnxPredictor(read_bundle(Path("onnx_models") / name / "1"))
    check_no_leak(predictor, a_table(slots=130), 110)


def test_what_is_known_ahead_may_be_used() -> None:
    table = a_table(covariates=1)._replace(covariates=("plan",))
    check_no_leak(OnnxPredictor(follower()), table, 40)


def test_a_target_that_goes_in_as_known_ahead_is_found() -> None:
    predictor = OnnxPredictor(follower())

    def answer(table: Table, origin: int) -> Floats:
        leaking = table._replace(known=table.values, covariates=("plan",))
        return run(predictor, leaking, np.array([origin])).answers

    with pytest.raises(DataError, match="a feature looks ahead"):
        check_answers(answer, a_table(), 40)


def test_gaps_that_were_filled_from_both_sides_are_found() -> None:
    predictor = OnnxPredictor(read_bundle(Path("onnx_models/general-gru/1")))
    table = a_table(slots=130)
    table.values[:, 108:112] = np.nan

    def answer(given: Table, origin: int) -> Floats:
        values = given.values.copy()
        for series in values[..., 0]:
            known = np.flatnonzero(~np.isnan(series))
            if len(known):
                series[:] = np.interp(np.arange(len(series)), known, series[known])
        return run(predictor, given._replace(values=values), np.array([origin])).answers

    with pytest.raises(DataError, match="a feature looks ahead"):
        check_answers(answer, table, 110)


def test_a_check_without_anything_after_the_origin_is_none() -> None:
    with pytest.raises(DataError, match="nothing after"):
        check_no_leak(OnnxPredictor(follower()), a_table(), 59)
