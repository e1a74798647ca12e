from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tidecast.errors import SettingsError
from training.config import Recipe, SyntheticSource, read_recipe, recipe_of
from training.models.streaming_lstm import StreamingLstmConfig

RECIPES = Path("training/recipes")
GOOD = 'name = "a"\n[data]\nsource = "synthetic"\n[model]\nfamily = "streaming-lstm"\n'


def recipe(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return read_recipe(path)


def test_a_short_recipe_is_enough(tmp_path: Path) -> None:
    found = recipe(tmp_path, GOOD)
    assert isinstance(found.model, StreamingLstmConfig)
    assert isinstance(found.data, SyntheticSource)
    assert found.model.context == 96


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "unknown = 1\n", "unknown.*model"),
        (GOOD.replace("streaming-lstm", "transformer"), "transformer"),
        (GOOD.replace("synthetic", "cloud"), "cloud"),
        (GOOD.replace('"a"', '"No Spaces"'), r"\.name"),
        (GOOD + "[fit]\nsteps = 0\n", r"fit\.steps"),
        (GOOD + "[fit]\nspeed = 3\n", r"speed.*fit"),
        (GOOD + '[task]\nkind = "forecast"\nquantile_levels = [0.1, 0.9]\n', "0.5"),
        (GOOD + '[task]\nkind = "forecast"\nquantile_levels = [0.5, 0.1]\n', "rise"),
        (GOOD + "hidden = 0\n", "hidden"),
        (GOOD + "[fit]\nlength = 24\n", "horizon"),
        (GOOD + "[fit]\nlength = 600\nwarm_up = 576\n", "warm_up"),
        (GOOD.replace("streaming-lstm", "mlp") + "context = 1\n", "features.scaling = 'global'"),
        ("name = ", "recipe.toml"),
        ("", "name"),
    ],
)
def test_a_wrong_recipe_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        recipe(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no recipe at"):
        read_recipe(tmp_path / "none.toml")


def test_the_smallest_recipe_of_the_docs_is_one() -> None:
    page = Path("docs/training.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert recipe_of(tomllib.loads(shown), "docs").name == "my-load"


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.toml")), ids=lambda path: path.stem)
def test_recipes_bear_the_names_of_their_files(path: Path) -> None:
    found = read_recipe(path)
    assert found.name == path.stem
    # What ships has learned from series of our own making alone.
    assert (path.parent == RECIPES) == isinstance(found.data, SyntheticSource)
