"""What is fitted on what, and how good it has to be.

Each contest is a recipe under `training/recipes/published`, fitted anew for each seed by what
`python -m training fit` does, and scored on the test part through the serving engine: every
origin, none dropped. ETT: MSE and MAE of values standardised by the training rows. M4: OWA.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from bench.accuracy.rows import Row
from bench.processes import BenchError
from tidecast.bundle import read_bundle
from tidecast.errors import DataError
from training.build import Order, build
from training.config import read_recipe
from training.fitting.fitted import Listener

RECIPES: Final = Path("training/recipes/published")
COVERED: Final = (0.78, 0.82)
"""Share of what came true that a band of 80 % should hold."""


class Contest(NamedTuple):
    """data: what people call it. The bars are the most that a median of seeds may be."""

    data: str
    mse: float | None = None
    mae: float | None = None
    owa: float | None = None
    seeds: int = 3


CONTESTS: Final = {
    "etth1-24": Contest("ETTh1", mse=0.300),
    "etth1-96": Contest("ETTh1", mse=0.362, mae=0.392),
    "ettm1-96": Contest("ETTm1", mse=0.295, mae=0.345),
    "m4-hourly": Contest("M4 Hourly", owa=0.412),
    "m4-hourly-ensemble": Contest("M4 Hourly", owa=0.398, seeds=1),
}


def chosen(names: list[str] | None) -> dict[str, Contest]:
    """The contests of these names, all when there are none. Raises BenchError."""
    unknown = set(names or ()) - CONTESTS.keys()
    if unknown:
        raise BenchError(f"no contest {', '.join(unknown)}; there are {', '.join(CONTESTS)}")
    return {name: CONTESTS[name] for name in names or CONTESTS}


def run(name: str, seed: int, tell: Callable[[str], None]) -> Row:
    """Fit the recipe with a seed, and score it on its test part."""
    path = RECIPES / f"{name}.toml"
    recipe = replace(read_recipe(path), seed=seed)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tidecast-accuracy-") as scratch:
        order = Order(recipe, path.parent, Path(scratch), Path(scratch) / "fit.checkpoint")
        try:
            folder = build(order, Listener(lambda _: None, tell))
        except DataError as error:
            raise BenchError(f"{name}: {error}") from error
        manifest = read_bundle(folder).manifest
    found: dict[str, Any] = manifest.figures["back_tests"]["test part"]
    owes = CONTESTS[name].owa is not None
    return Row(
        data=CONTESTS[name].data,
        horizon=manifest.horizon,
        model=name,
        seed=seed,
        mse=None if owes else found["standard_mse"],
        mae=None if owes else found["standard_mae"],
        owa=found["owa"] if owes else None,
        coverage=found["coverage"],
        minutes=round((time.monotonic() - started) / 60, 2),
    )
