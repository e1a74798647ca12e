from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream.onnx_predictor import OnnxPredictor
from stream.testing import FailingPredictor, NaivePredictor
from tests.stream.graphs import classifier
from tests.training.evaluate.tables import a_table
from tidecast.errors import DataError
from training.benchmarks import RowsBenchmark, StreamBenchmark, load
from training.data.table import Table
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.fitted import fit_some
from training.evaluate.scores import (
    ClassScores,
    ForecastScores,
    Scores,
    better,
    skill_of,
    summary,
)
from training.evaluate.scoring import score
from training.evaluate.statistical import METHODS

ORIGINS = np.arange(40, 55, 3)


def a_case(table: Table) -> Case:
    return Case("noise", table, ORIGINS, 40, 6)


def forecast_scores(sample: int = 0) -> ForecastScores:
    test = back_test(NaivePredictor(8), a_case(a_table()))
    scores = score(test, fit_some(test, sample))
    assert isinstance(scores, ForecastScores)
    return scores


def labelled(seed: int = 0) -> Table:
    """Whether each value is negative: the classifier says so of what it sees."""
    table = a_table(seed=seed)
    negative = (table.values[..., 0] < 0).astype(np.float32)
    return table._replace(labels=np.where(np.isnan(table.values[..., 0]), np.nan, negative))


def test_a_naive_model_is_as_good_as_the_naive_baseline_where_nothing_is_missing() -> None:
    table = a_table()
    whole = table._replace(values=np.nan_to_num(table.values))
    scores = score(back_test(NaivePredictor(8), a_case(whole)))
    assert isinstance(scores, ForecastScores)
    assert scores.model.mase == pytest.approx(scores.baselines["naive"].mase)
    assert set(scores.baselines) == {"naive", "seasonal naive", "drift", "Naive2"}
    assert scores.baselines["Naive2"].owa == 1
    assert scores.model.width == 0


def test_leads_together_make_the_whole() -> None:
    scores = forecast_scores()
    assert {len(measures) for measures in scores.by_lead.values()} == {3}
    lead = scores.by_lead["model"]
    assert min(m.mae or 0 for m in lead) < (scores.model.mae or 0) < max(m.mae or 0 for m in lead)


def test_fitted_methods_and_model_are_compared_on_the_same_answers() -> None:
    sample = forecast_scores(sample=5).sample
    assert sample is not None
    assert sample.answers == 5
    assert set(sample.measures) >= {"model", "naive", "ETS", "Theta"}
    assert sample.measures["ETS"].owa is not None
    best = min(sample.measures[name].mase or 0 for name in METHODS)
    assert sample.skill == pytest.approx(1 - (sample.measures["model"].mase or 0) / best)


def test_what_was_fitted_serves_every_model_of_the_case() -> None:
    tests = [back_test(NaivePredictor(context), a_case(a_table())) for context in (8, 4)]
    told: list[tuple[int, int]] = []
    fitted = fit_some(tests[0], 5, lambda done, of: told.append((done, of)))
    assert told == [(done, 5) for done in range(6)]
    ours, others = (score(test, fitted) for test in tests)
    assert isinstance(ours, ForecastScores)
    assert isinstance(others, ForecastScores)
    assert ours.sample == others.sample


@pytest.mark.parametrize(
    ("mase", "others", "words"),
    [
        (0.9, [1.0, 1.2], "10.0% better"),
        (1.1, [1.0, None], "short by 10.0%"),
        (1.0, [None], None),
        (None, [1.0], None),
    ],
)
def test_a_skill_is_against_the_best_of_the_others(
    mase: float | None, others: list[float | None], words: str | None
) -> None:
    skill = skill_of(mase, others)
    assert (None if skill is None else better(skill)) == words


def test_answers_in_the_place_of_a_failed_model_are_counted() -> None:
    table = a_table()
    table.values[0, 40] = 7.5
    test = back_test(FailingPredictor(NaivePredictor(8), 7.5), a_case(table))
    assert score(test).fallbacks == 1


def test_a_classifier_is_scored_on_its_labels() -> None:
    scores = score(back_test(OnnxPredictor(classifier()), a_case(labelled())))
    assert isinstance(scores, ClassScores)
    assert scores.model.accuracy == 1
    assert scores.model.roc_auc == 1
    assert scores.model.log_loss < scores.baselines["shares in the history"].log_loss
    assert scores.model.count < 3 * len(ORIGINS)  # the labels of missing values are missing


def test_labels_that_are_no_numbers_of_classes_are_refused() -> None:
    table = labelled()
    assert table.labels is not None
    with pytest.raises(DataError, match="numbers from 0 to 1, one for each of high, low"):
        score(
            back_test(OnnxPredictor(classifier()), a_case(table._replace(labels=table.labels + 1)))
        )


def test_a_target_that_is_never_known_is_refused() -> None:
    table = a_table()
    table.values[:, 40:] = np.nan
    with pytest.raises(DataError, match="after none of its origins"):
        back_test(NaivePredictor(8), a_case(table))
    with pytest.raises(DataError, match="needs the label 'state'"):
        back_test(OnnxPredictor(classifier()), a_case(a_table()))


@pytest.mark.parametrize("of_classes", [False, True])
def test_scores_go_to_json_and_back(of_classes: bool) -> None:
    predictor = OnnxPredictor(classifier()) if of_classes else NaivePredictor(8)
    test = back_test(predictor, a_case(labelled()))
    scores = score(test, fit_some(test, 3))
    kind: type[Scores] = ClassScores if of_classes else ForecastScores
    assert msgspec.json.decode(msgspec.json.encode(scores), type=kind) == scores
    figures = msgspec.json.decode(msgspec.json.encode(scores.figures()))
    assert figures["origins"] == len(ORIGINS)
    assert figures["baselines"]
    assert summary(scores).startswith("noise: ")


def test_benchmarks_are_read_from_streams_and_from_rows(tmp_path: Path) -> None:
    manifest = NaivePredictor(8, horizon=2).manifest
    (tmp_path / "train.csv").write_text('"id","1","2","3"\n"x","1","2",\n"y","3","4","5"\n')
    (tmp_path / "test.csv").write_text('"id","1","2"\n"x","7","8"\n"y","9","10"\n')
    rows = load(RowsBenchmark("rows", "train.csv", "test.csv"), tmp_path, manifest, 1)
    expected = [[np.nan, 1, 2, 7, 8], [3, 4, 5, 9, 10]]
    np.testing.assert_array_equal(rows.table.values[..., 0], expected)
    assert rows.origins.tolist() == [2]
    (tmp_path / "stream.csv").write_text("time,a\n" + "".join(f"{t},{t}\n" for t in range(9)))
    stream = load(StreamBenchmark("stream", "stream.csv", first=4), tmp_path, manifest, 1)
    assert stream.origins.tolist() == [3, 4, 5, 6]
    with pytest.raises(DataError, match="with 9 to begin with, none is left"):
        load(StreamBenchmark("stream", "stream.csv", first=9), tmp_path, manifest, 1)
