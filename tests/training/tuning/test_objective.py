from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from stream.onnx_predictor import OnnxPredictor
from tests.training.tuning.toy import SILENT, opened
from tidecast.bundle import Bundle
from tidecast.errors import DataError, SettingsError
from training.classic.logistic import LogisticConfig
from training.config import Recipe, SyntheticSource
from training.data.folds import BlockedFolds, RollingFolds
from training.evaluate.back_test import back_test
from training.evaluate.scores import ClassScores, ForecastScores
from training.evaluate.scoring import score
from training.fitting.fitted import Job
from training.models.streaming_gru import StreamingGruConfig
from training.source import History, open_source
from training.tasks.classification import ClassificationTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task
from training.tuning.objective import (
    fit_and_validate,
    folds_of,
    validation_case,
    validation_figure,
)

MANY = 10_000


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, History, Bundle, float]:
    folder = tmp_path_factory.mktemp("toy")
    recipe, history = opened(folder)
    found = fit_and_validate(Job(recipe, history, folder / "checkpoint"), 40, SILENT)
    return recipe, history, found.bundle, found.figure


def test_a_forecast_is_judged_by_its_pinball_loss_in_the_unit_of_mase(
    fitted: tuple[Recipe, History, Bundle, float],
) -> None:
    recipe, history, bundle, _ = fitted
    case = history.case("validation", recipe, history.cut.validation)
    scores = score(back_test(OnnxPredictor(bundle), case))
    assert isinstance(scores, ForecastScores)
    found = validation_figure(bundle, recipe, history, MANY)
    assert found == pytest.approx(scores.model.scaled_pinball, rel=1e-9)


def test_the_test_part_changes_neither_fit_nor_figure(
    tmp_path: Path, fitted: tuple[Recipe, History, Bundle, float]
) -> None:
    recipe, history, bundle, figure = fitted
    values = history.table.values.copy()
    values[:, history.cut.test :] = 1e6
    other = history._replace(table=history.table._replace(values=values))
    found = fit_and_validate(Job(recipe, other, tmp_path / "checkpoint"), 40, SILENT)
    assert found.bundle.graph == bundle.graph
    assert found.figure == figure


def test_origins_are_thinned_evenly_and_the_table_ends_with_the_validation_part(
    fitted: tuple[Recipe, History, Bundle, float],
) -> None:
    recipe, history, *_ = fitted
    whole = validation_case(recipe, history, MANY).origins
    case = validation_case(recipe, history, 7)
    assert len(case.origins) == 7
    assert [case.origins[0], case.origins[-1]] == [whole[0], whole[-1]]
    assert np.ptp(np.diff(case.origins)) <= 1
    assert case.table.values.shape[1] == history.cut.test


@pytest.mark.parametrize("rule", [RollingFolds(30, 3), BlockedFolds(3)])
def test_no_fold_reaches_into_the_test_part(
    rule: RollingFolds | BlockedFolds, fitted: tuple[Recipe, History, Bundle, float]
) -> None:
    recipe, history, *_ = fitted
    folds = folds_of(history, recipe, rule)
    assert len(folds) == 3
    for fold in folds:
        case = validation_case(recipe, fold, MANY)
        assert case.table.values.shape[1] <= history.cut.test
        assert case.origins[-1] + 4 < history.cut.test


def test_series_without_end_are_validated_on_series_that_no_fit_sees() -> None:
    recipe = Recipe("a", SyntheticSource(), StreamingGruConfig())
    source = open_source(recipe, Path())
    case = validation_case(recipe, source, 5)
    again = validation_case(replace(recipe, seed=9), source, 5)
    assert case.table.values.tobytes() == again.table.values.tobytes()
    assert case.table.values.tobytes() != source.test(recipe).table.values.tobytes()
    with pytest.raises(SettingsError, match="no time to fold"):
        folds_of(source, recipe, RollingFolds(30))


@pytest.mark.parametrize(
    "task", [RegressionTask("label"), ClassificationTask("label", ("low", "high"))]
)
def test_other_tasks_have_a_figure_of_their_own(
    task: Task, tmp_path: Path, fitted: tuple[Recipe, History, Bundle, float]
) -> None:
    recipe, history, *_ = fitted
    values = history.table.values[..., 0]
    labels = values > 0 if isinstance(task, ClassificationTask) else 3 * values + 1
    table = history.table._replace(labels=labels.astype(np.float32))
    source = history._replace(table=table)
    family = LogisticConfig(24) if isinstance(task, ClassificationTask) else recipe.model
    other = replace(recipe, task=task, model=family)
    found = fit_and_validate(Job(other, source, tmp_path / "checkpoint"), MANY, SILENT)
    case = source.case("validation", other, source.cut.validation)
    scores = score(back_test(OnnxPredictor(found.bundle), case))
    model = scores.model
    expected = model.log_loss if isinstance(scores, ClassScores) else model.pinball  # type: ignore[union-attr]
    assert found.figure == pytest.approx(expected, rel=1e-9)


def test_a_validation_part_without_values_gives_no_figure(
    fitted: tuple[Recipe, History, Bundle, float],
) -> None:
    recipe, history, bundle, _ = fitted
    values = history.table.values.copy()
    values[:, history.cut.validate :] = np.nan
    empty = history._replace(table=history.table._replace(values=values))
    with pytest.raises(DataError, match="target known"):
        validation_figure(bundle, recipe, empty, 10)
