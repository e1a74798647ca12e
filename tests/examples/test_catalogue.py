from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from examples.catalogue import EXAMPLES, HERE, Example, example_of
from examples.cli import app
from examples.cloud_failure import AHEAD_SLOTS
from examples.run import WORK, prepare
from tidecast.errors import DataError, SettingsError
from training.config import read_recipe
from training.data.columns import FileSource
from training.tasks.task import lead_of


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))
def test_each_recipe_is_named_as_its_example_and_reads_what_is_prepared(example: Example) -> None:
    recipe = read_recipe(example.recipe)
    assert recipe.name == example.name
    assert isinstance(recipe.data, FileSource)
    read = (HERE / recipe.data.path).resolve()
    if example.history is None:
        assert example.needs is not None
        assert example.needs.resolve() in read.parents
    else:
        assert read == (WORK / "data" / f"{example.name}.csv").resolve()


def test_the_recipe_of_failures_looks_as_far_ahead_as_its_labels() -> None:
    assert lead_of(read_recipe(EXAMPLES["cloud-failure"].recipe).task) == AHEAD_SLOTS


def test_the_list_names_every_example() -> None:
    listed = CliRunner().invoke(app, ["list"]).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(EXAMPLES)


def test_absent_data_are_named_with_what_to_do(tmp_path: Path) -> None:
    example = Example("far-away", "nothing", tmp_path / "absent", None)
    with pytest.raises(DataError, match=r"absent, which is not there; docs/examples\.md"):
        prepare(example, tmp_path)


def test_an_unknown_example_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'tumor'; there are power-load, .*tumour"):
        example_of("tumor")
