"""Each example in a tiny form: a piece of its data, and a few steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from examples import cloud_failure, fraud, price_direction, tables, web_load
from examples.catalogue import EXAMPLES, SHARED
from examples.run import Made, fit, prepare
from tidecast.files import read_observations
from tidecast.messages import Observation
from training.config import Recipe, read_recipe
from training.fitting.fitted import Listener

SILENT: Final = Listener(lambda progress: None, lambda stage: None)
SHARES: Final = {"by": "shares", "validate": 0.2, "test": 0.2}
FEW_STEPS: Final = {"steps": 2, "batch": 8, "validate_every": 1}


class Tiny(NamedTuple):
    """What is changed of an example: its table, and settings of its recipe, section by section."""

    history: Callable[[], pl.DataFrame] | None
    changes: Mapping[str, Mapping[str, Any]]


def two_servers() -> pl.DataFrame:
    """A series with incidents early and late, and another beside it."""
    table = cloud_failure.history(SHARED / "nab")
    name = pl.col("series_id")
    return table.filter(name.str.ends_with("fe7f93") | name.str.ends_with("53ea38"))


def four_loads() -> pl.DataFrame:
    """The last weeks of four series."""
    return web_load.history(SHARED / "m4")[-400:, :5]


TINY: Final = {
    "power-load": Tiny(
        None,
        {
            "data": {
                "split": {"by": "rows", "train_rows": 600, "validate_rows": 120, "test_rows": 60}
            },
            "model": {
                "members": [
                    {"family": "dlinear", "context": 48},
                    {"family": "mlp", "context": 24, "layers": [8]},
                ]
            },
        },
    ),
    "cloud-failure": Tiny(
        two_servers,
        {
            "data": {"split": {"by": "shares", "validate": 0.05, "test": 0.05}},
            "model": {"trees": 5, "rows": 400},
        },
    ),
    "web-load": Tiny(
        four_loads, {"data": {"split": SHARES}, "model": {"layers": [8], "context": 48}}
    ),
    "tumour": Tiny(tables.tumour, {}),
    "diabetes": Tiny(tables.diabetes, {}),
    "fraud": Tiny(partial(fraud.history, cards=20, days=30), {"model": {"trees": 5, "rows": 1000}}),
    "price-direction": Tiny(
        partial(price_direction.history, instruments=2, slots=500),
        {"model": {"hidden": 4, "context": 24}},
    ),
}


def tiny_run(name: str, folder: Path) -> Made:
    """Prepare and fit an example in its tiny form; skip where its real data are not there."""
    example = EXAMPLES[name]
    if example.needs is not None and not example.needs.exists():
        pytest.skip("../shared/data is not there")
    file = prepare(example._replace(history=TINY[name].history), folder)
    return fit(example, _recipe(name, file), SILENT, folder)


def first_arrivals(made: Made, most: int) -> list[Observation]:
    """The first events that the example would publish."""
    found = read_observations(made.arrivals)
    rows = found.events_of(0, most).iter_rows(named=True)
    return [
        Observation(found.series[row.pop("series_id")], row.pop("timestamp"), row)
        for row in islice(rows, most)
    ]


def _recipe(name: str, file: Path) -> Recipe:
    """The example's recipe in its tiny form, which reads the file."""
    settings = msgspec.to_builtins(read_recipe(EXAMPLES[name].recipe))
    for section, changed in TINY[name].changes.items():
        settings[section] |= changed
    settings["fit"] |= FEW_STEPS
    settings["benchmarks"] = []
    recipe = msgspec.convert(settings, Recipe)
    if TINY[name].history is None:
        return recipe
    return replace(recipe, data=replace(recipe.data, path=str(file)))
