from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from tests.training.tuning.toy import opened
from training.auto.ground import first_recipes, ground_of, name_of
from training.auto.variations import draw, space_of
from training.config import Recipe, SyntheticSource
from training.data.augment import Jitter
from training.features.front import FeaturesConfig
from training.models.recurrent import GruConfig
from training.models.streaming_gru import StreamingGruConfig
from training.source import open_source
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task
from training.tuning.space import chosen, varied


@pytest.mark.parametrize(
    ("task", "wanted", "unwanted"),
    [
        (ForecastTask(horizon=4), {"ridge", "streaming-gru", "gru", "forest"}, {"logistic"}),
        (RegressionTask("label"), {"ridge", "gru", "forest"}, {"logistic", "streaming-gru"}),
        (
            ClassificationTask("label", ("a", "b")),
            {"logistic", "gru", "forest"},
            {"ridge", "streaming-gru", "nlinear"},
        ),
    ],
)
def test_families_are_those_that_the_task_allows(
    task: Task, wanted: set[str], unwanted: set[str], tmp_path: Path
) -> None:
    recipe, source = opened(tmp_path)
    own = replace(recipe, task=task, model=GruConfig(24))
    found = [name_of(one) for one in first_recipes(own, source)]
    assert found[0] == "gru"
    assert len(found) == len(set(found))
    assert wanted <= set(found)
    assert not unwanted & set(found)


def test_series_without_end_are_for_streaming_families() -> None:
    recipe = Recipe("a", SyntheticSource(), StreamingGruConfig())
    found = [name_of(one) for one in first_recipes(recipe, open_source(recipe, Path()))]
    assert found == ["streaming-gru", "streaming-lstm"]


def test_a_context_is_two_to_seven_seasons_of_the_data_within_the_history(tmp_path: Path) -> None:
    recipe, source = opened(tmp_path)
    slots = len(source.cut.training)
    ground = ground_of(replace(recipe, seasonality=7), source)
    assert (ground.period, ground.least) == (24, 48)
    assert ground.usual == min(96, slots // 4)
    assert ground.least <= ground.usual <= ground.most <= slots // 4
    noise = np.random.default_rng(1).normal(size=source.table.values.shape).astype(np.float32)
    quiet = source._replace(table=source.table._replace(values=noise))
    assert ground_of(replace(recipe, seasonality=7), quiet).period == 7


def test_each_family_gets_what_it_has_a_use_for(tmp_path: Path) -> None:
    recipe, source = opened(tmp_path)
    rich = replace(
        recipe,
        model=GruConfig(24),
        features=FeaturesConfig(calendar=("day",)),
        augment=(Jitter(),),
    )
    for one in first_recipes(rich, source):
        plain = name_of(one) in ("ridge", "forest", "boosting", "streaming-gru")
        assert (one.augment == ()) == plain
        assert (one.features == rich.features) == (name_of(one) != "streaming-gru")


def test_every_family_has_settings_to_vary_that_its_recipe_takes(tmp_path: Path) -> None:
    recipe, source = opened(tmp_path)
    ground = ground_of(recipe, source)
    for one in first_recipes(recipe, source):
        space = space_of(one, ground)
        assert "model.context" in space
        for seed in range(3):
            drawn = draw(space, [], seed)
            assert drawn.keys() == space.keys()
            assert drawn == draw(space, [], seed)
            varied(msgspec.to_builtins(one), chosen(space, drawn))
