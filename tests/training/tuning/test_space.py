from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import RandomSampler
from optuna.study import create_study

from tidecast.errors import SettingsError
from training.config import recipe_of
from training.tuning.space import Dimension, check_paths, chosen, grid, varied

RECIPE: dict[str, Any] = {
    "name": "a",
    "data": {"source": "synthetic"},
    "model": {"family": "streaming-gru", "hidden": 32},
}


def dimension(**keys: object) -> Dimension:
    return msgspec.convert(keys, Dimension)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "either choices, or low and high"),
        ({"choices": [1], "low": 1, "high": 2}, "either choices"),
        ({"choices": [1], "log": True}, "either choices"),
        ({"low": 2, "high": 1}, "low below the high"),
        ({"low": 0, "high": 1, "log": True}, "low above 0"),
        ({"low": 1, "high": 9, "step": 0}, "step must be above 0"),
        ({"low": 0, "high": 0.5}, r"write low as 0\.0"),
        ({"low": 1, "hihg": 2}, "hihg"),
    ],
)
def test_a_dimension_that_says_nothing_clear_is_refused(
    keys: dict[str, object], message: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        dimension(**keys)


@settings(max_examples=40, deadline=None)
@given(
    low=st.integers(-50, 50), room=st.integers(1, 100), step=st.integers(1, 30), seed=st.integers(0)
)
def test_drawn_values_are_whole_steps_from_the_low_within_the_high(
    low: int, room: int, step: int, seed: int
) -> None:
    one = dimension(low=low, high=low + room, step=step)
    study = create_study(sampler=RandomSampler(seed=seed % 2**32))
    drawn = study.ask({"x": one.distribution}).params["x"]
    assert low <= drawn <= low + room
    assert (drawn - low) % step == 0
    assert drawn in one.all
    assert one.all == list(range(low, low + room + 1, step))


def test_a_grid_has_every_combination_once() -> None:
    space = {
        "model.hidden": dimension(choices=[32, 64]),
        "fit.batch": dimension(low=8, high=20, step=8),
        "model.dropout": dimension(low=0.0, high=0.2, step=0.1),
    }
    points = list(grid(space))
    assert len(points) == 2 * 2 * 3
    assert len({tuple(point.values()) for point in points}) == 12
    assert points[-1] == {"model.hidden": 64, "fit.batch": 16, "model.dropout": pytest.approx(0.2)}


def test_a_grid_without_end_names_the_path() -> None:
    space = {"fit.optimiser.learning_rate": dimension(low=1e-4, high=1e-2)}
    with pytest.raises(SettingsError, match=r"learning_rate.*choices or a step"):
        list(grid(space))


def test_lists_and_tables_can_be_chosen() -> None:
    models = [{"family": "mlp", "layers": [8]}, {"family": "ridge"}]
    space = {"model": dimension(choices=models)}
    drawn = [point["model"] for point in grid(space)]
    assert all(isinstance(one, str) for one in drawn)
    assert [chosen(space, {"model": one})["model"] for one in drawn] == models


def test_settings_go_to_their_paths_and_defaults_fill_in_what_they_need() -> None:
    found = varied(RECIPE, {"model.hidden": 64, "fit.optimiser.learning_rate": 0.01})
    recipe = recipe_of(found, "varied")
    assert found["model"] == {"family": "streaming-gru", "hidden": 64}
    assert recipe.fit.optimiser.learning_rate == 0.01
    assert msgspec.to_builtins(recipe.fit.optimiser)["kind"] == "adamw"
    assert RECIPE["model"]["hidden"] == 32
    assert "fit" not in RECIPE


def test_members_of_an_ensemble_are_reached_by_their_place() -> None:
    members = [{"family": "streaming-gru"}, {"family": "streaming-lstm"}]
    recipe = RECIPE | {"model": {"family": "ensemble", "members": members}}
    found = varied(recipe, {"model.members.1.hidden": 16})
    assert found["model"]["members"][1]["hidden"] == 16
    with pytest.raises(SettingsError, match="leads nowhere"):
        varied(recipe, {"model.members.2": {}})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("model.hiden", "the recipe has no model.hiden"),
        ("model.hidden.more", "the recipe has no"),
        ("fit.optimiser.speed", "the recipe has no"),
        ("task.horizon", "would change what is asked for"),
        ("seasonality", "would change what is asked for"),
    ],
)
def test_a_path_that_the_recipe_does_not_know_is_refused(path: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check_paths(RECIPE, {path: dimension(choices=[1, 2])})


def test_a_path_of_a_family_that_can_be_chosen_is_known() -> None:
    families = dimension(choices=[{"family": "forest"}, {"family": "ridge"}])
    check_paths(RECIPE, {"model": families, "model.leaves": dimension(low=8, high=64)})
    check_paths(RECIPE, {"model.hidden": dimension(choices=[1]), "seed": dimension(low=0, high=9)})
