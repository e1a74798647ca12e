"""Each example from end to end, in a tiny form: a piece of the data, and a few steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from examples import cloud_failure, fraud, price_direction, tables, web_load
from examples.catalogue import EXAMPLES, SHARED
from examples.run import fit, prepare
from examples.scores import shown
from stream.engine import Engine
from stream.onnx_predictor import OnnxPredictor
from stream.records import LoggedRecord
from stream.replay import replay
from tidecast.bundle import read_bundle
from tidecast.files import read_observations
from tidecast.messages import Forecast, Observation, encode_observation
from tidecast.settings import StreamSettings
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


def tiny_recipe(name: str, file: Path) -> Recipe:
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


def first_answers(arrivals: Path, model: Path, step_seconds: int) -> list[Forecast]:
    """What a worker would publish for the first events of a file."""
    found = read_observations(arrivals)
    records = []
    for offset, row in enumerate(found.events_of(0, 60).iter_rows(named=True)):
        name, time_ms = found.series[row.pop("series_id")], row.pop("timestamp")
        value = encode_observation(Observation(name, time_ms, row))
        records.append(LoggedRecord(offset, time_ms, name.encode(), value))
    engine = Engine(OnnxPredictor(read_bundle(model)), StreamSettings(step_seconds=step_seconds))
    return list(islice(replay(engine, records), len(records)))


@pytest.mark.parametrize("name", TINY)
def test_an_example_ends_in_a_bundle_that_answers_its_arrivals(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    if example.needs is not None and not example.needs.exists():
        pytest.skip("../shared/data is not there")
    file = prepare(example._replace(history=TINY[name].history), tmp_path)
    made = fit(example, tiny_recipe(name, file), SILENT, tmp_path)
    assert made.manifest.step_seconds is not None
    answers = first_answers(made.arrivals, made.bundle, made.manifest.step_seconds)
    assert len(answers) == 60
    for answer in answers:
        assert answer.model == name
        if made.manifest.classes:
            assert answer.classes == list(made.manifest.classes)
            assert sum(answer.probabilities) == pytest.approx(1, abs=1e-4)
        else:
            assert [len(level) for level in answer.quantiles] == [made.manifest.horizon] * 3
            lowest, _, highest = answer.quantiles
            assert np.less_equal(lowest, highest).all()
    assert name in shown(made.manifest)
