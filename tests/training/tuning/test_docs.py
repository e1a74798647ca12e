"""The examples of docs/choosing.md do what they say, and its tables leave nothing out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from typer.testing import CliRunner

from training.auto.ground import CLASSIFIERS, FORECASTERS, GENERALISTS
from training.cli import app
from training.logs.log import Kind
from training.tuning.search import Method, SearchConfig
from training.tuning.space import VARIED, check_paths

PAGE = Path("docs/choosing.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
RECIPE = tomllib.loads(
    re.findall(
        r"```toml\n(.*?)```", Path("docs/training.md").read_text(encoding="utf-8"), re.DOTALL
    )[0]
)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_search_file_shown_is_one(example: str) -> None:
    search = msgspec.convert(tomllib.loads(example), SearchConfig)
    check_paths(RECIPE, search.space)


def test_every_key_of_a_search_file_is_listed() -> None:
    assert len(EXAMPLES) == 2
    for key in SearchConfig.__struct_fields__:
        assert f"| `{key}` |" in PAGE
    for word in (*get_args(Method), *get_args(Kind), *VARIED):
        assert word in PAGE


def test_every_family_that_auto_tries_is_named() -> None:
    for family in (*FORECASTERS, *CLASSIFIERS, *GENERALISTS):
        tag = family.__struct_config__.tag
        assert str(tag) in PAGE


@pytest.mark.parametrize("command", ["tune", "auto"])
def test_help_shows_an_example_and_every_option_of_the_page(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: python -m training {command}" in done.stdout
    (shown,) = re.findall(rf"python -m training {command} (.*?)  ", PAGE)
    for option in re.findall(r"--[a-z]+", shown):
        assert option in done.stdout
