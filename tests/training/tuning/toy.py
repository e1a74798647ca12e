"""A folder with two noisy daily waves and a recipe that is fitted in an instant."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from training.config import Recipe, read_recipe
from training.fitting.fitted import Listener
from training.source import History, open_source

HOURS: Final = 24 * 20
RIDGE: Final = 'family = "ridge"\ncontext = 24'
NLINEAR: Final = 'family = "nlinear"\ncontext = 24'
RECIPE: Final = """
name = "toy"
[data]
source = "file"
path = "load.csv"
[task]
kind = "forecast"
horizon = 4
[fit]
steps = 8
batch = 8
validate_every = 2
[model]
"""
SILENT: Final = Listener(lambda _: None, lambda _: None)


def folder_with(folder: Path, model: str = RIDGE) -> Path:
    """Write the history and a recipe with that model; return the recipe's path."""
    hours = np.arange(HOURS)
    rng = np.random.default_rng(0)
    waves = [np.sin(2 * np.pi * hours / 24) + rng.normal(0, 0.2, HOURS) for _ in range(2)]
    lines = [f"{3600 * hour},{a:.5f},{b:.5f}" for hour, a, b in zip(hours, *waves, strict=True)]
    (folder / "load.csv").write_text("\n".join(["time,a,b", *lines]))
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE + model)
    return recipe


def opened(folder: Path, model: str = RIDGE) -> tuple[Recipe, History]:
    """The recipe and its history."""
    recipe = read_recipe(folder_with(folder, model))
    source = open_source(recipe, folder)
    assert isinstance(source, History)
    return recipe, source
