from __future__ import annotations

import numpy as np
import pytest

from stream.onnx_predictor import OnnxPredictor
from stream.testing import CountingPredictor, NaivePredictor
from tests.stream.graphs import classifier, follower
from tests.training.evaluate.tables import FIRST, HOUR_S, a_table
from tidecast.errors import DataError
from training.data.table import Table
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.engine_run import run
from training.explain.explanation import (
    explain,
    share_of_state,
    shares,
    shares_by_hour,
)
from training.explain.groups import groups
from training.explain.inputs import sample
from training.explain.page import render
from training.explain.permutation import permutation_importance


def a_case(table: Table, first: int = 30, history: int = 30) -> Case:
    return Case("noise", table, np.arange(first, 57), history, 6)


def test_sampled_inputs_are_those_that_the_engine_gives() -> None:
    table, predictor = a_table(), CountingPredictor(8)
    sampled = sample(predictor, a_case(table))
    answers = run(predictor, table, np.arange(30, 57)).answers
    again = predictor.predict(sampled.inputs).forecast
    slots = (sampled.inputs.origins - FIRST) // HOUR_S
    np.testing.assert_array_equal(again, answers[sampled.rows, slots - 30])
    padded = np.pad(table.values[..., 0], ((0, 0), (0, 3)), constant_values=np.nan)
    for lead in range(3):
        truth = padded[sampled.rows, slots + 1 + lead]
        np.testing.assert_array_equal(sampled.actual[:, lead], truth)


def test_a_model_that_repeats_the_newest_value_goes_by_nothing_else() -> None:
    # A walk: its newest value says much of what comes.
    table = a_table()
    walk = table._replace(values=np.nancumsum(table.values, axis=1).astype(np.float32))
    predictor = NaivePredictor(8)
    importance = permutation_importance(predictor, sample(predictor, a_case(walk)), np.ones(3))
    assert importance.blocks[:-1].tolist() == [[0.0]] * 7
    assert importance.blocks[-1, 0] > 0.1
    assert importance.whole["value"] == pytest.approx(importance.blocks[-1, 0])
    assert importance.whole["time"] == 0


def test_what_is_known_ahead_and_states_count_as_inputs() -> None:
    table = a_table(covariates=1)._replace(covariates=("plan",))
    ahead = OnnxPredictor(follower())
    found = permutation_importance(ahead, sample(ahead, a_case(table)), np.ones(3))
    assert found.whole["known ahead"] != 0
    counting = CountingPredictor(8)
    found = permutation_importance(counting, sample(counting, a_case(table)), np.ones(3))
    assert found.whole["state"] != 0


def test_a_single_window_of_each_series_has_nothing_to_exchange() -> None:
    predictor = NaivePredictor(8)
    case = a_case(a_table())._replace(origins=np.array([50]))
    with pytest.raises(DataError, match="each series has one window"):
        permutation_importance(predictor, sample(predictor, case), np.ones(3))


def test_attributions_are_shared_among_slots_hours_and_the_state() -> None:
    found = explain(CountingPredictor(8), a_case(a_table()))
    by_slot = shares(found.attribution)
    assert by_slot.sum() + share_of_state(found.attribution) == pytest.approx(1)
    assert by_slot[:-1].sum() == pytest.approx(0, abs=1e-3)
    by_hour = shares_by_hour(found)
    assert by_hour.shape == (24,)
    assert 0 < by_hour.sum() <= 1 + 1e-9


def test_series_that_are_worse_stand_apart_from_the_others() -> None:
    rng = np.random.default_rng(0)
    names = tuple(f"{kind}-{number}" for kind in ("calm", "wild") for number in range(4))
    values = 50 + rng.normal(size=(8, 400, 1)).cumsum(axis=1).astype(np.float32)
    # After the history, the wild ones become three times as wild.
    values[4:, 200:] = values[4:, 199:200] + 3 * (values[4:, 200:] - values[4:, 199:200])
    table = Table(names, values, ("value",), FIRST, HOUR_S)
    case = Case("plants", table, np.arange(200, 390), 200, 24)
    test = back_test(NaivePredictor(8), case)
    by_name = {group.name: group for group in groups(test) if group.kind == "name"}
    assert by_name["wild"].error > 1.5 * by_name["calm"].error
    assert by_name["calm"].answers == 4 * 190 * 3
    kinds = {group.kind for group in groups(test)}
    assert kinds == {"name", "level", "volatility", "hour of day", "weekday"}


def test_an_hour_that_is_harder_stands_apart() -> None:
    hours = np.arange(480)
    rng = np.random.default_rng(0)
    noise = np.where(hours % 24 == 5, 10, 0.1) * rng.normal(size=(2, 480))
    table = Table(("a", "b"), noise.astype(np.float32)[..., None], ("value",), 0, HOUR_S)
    case = Case("noise", table, np.arange(240, 470), 240, 24)
    found = [g for g in groups(back_test(NaivePredictor(8, 1), case)) if g.kind == "hour of day"]
    assert max(found, key=lambda group: group.error).name == "05 h"


def test_a_page_shows_slots_hours_importance_and_groups() -> None:
    table = a_table()
    labels = (np.nan_to_num(table.values[..., 0]) < 0).astype(np.float32)
    for predictor in (CountingPredictor(8), OnnxPredictor(classifier())):
        case = a_case(table._replace(labels=labels))
        if predictor.manifest.classes:
            case.table.values[:] = np.nan_to_num(case.table.values)
        page = render(explain(predictor, case))
        assert "http" not in page.replace("http://www.w3.org", "")
        assert len(page) < 300_000
        for words in ("share by slot", "hour of day, UTC", "by block of slots", "By weekday"):
            assert words in page
