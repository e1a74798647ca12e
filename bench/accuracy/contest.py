"""What is fitted on what, and how good it has to be.

Each contest is a recipe under `training/recipes/published`, fitted anew for each seed by what
`python -m training fit` does, and scored on the test part through the serving engine: every
origin, none dropped. ETT: MSE and MAE of values standardised by the training rows. M4: OWA.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from bench.accuracy.rows import Row
from bench.processes import BenchError
from tidecast.bundle import Manifest, read_bundle
from tidecast.errors import BundleError, DataError, SettingsError
from training.build import Order, build
from training.config import read_recipe
from training.fitting.fitted import Listener

RECIPES: Final = Path("training/recipes/published")


class Contest(NamedTuple):
    """data: what people call it. The bars are the most that a median of seeds may be.

    published: figures of others by the same protocol, MSE / MAE or OWA, and whose they are.
    """

    data: str
    mse: float | None = None
    mae: float | None = None
    owa: float | None = None
    seeds: int = 3
    published: str = ""


M4_ENTRIES: Final = "best entry (Doornik et al.) .410, winner overall (Smyl, ES-RNN) .440"

CONTESTS: Final = {
    "etth1-24": Contest("ETTh1", mse=0.300),
    "etth1-96": Contest(
        "ETTh1",
        mse=0.362,
        mae=0.392,
        published="SegRNN .351/.392, DUET .352/.384, PatchTST .370/.400",
    ),
    "ettm1-96": Contest(
        "ETTm1", mse=0.295, mae=0.345, published="DUET .279/.333, PatchTST .293/.346"
    ),
    "m4-hourly": Contest("M4 Hourly", owa=0.412, published=M4_ENTRIES),
    "m4-hourly-ensemble": Contest("M4 Hourly", owa=0.398, seeds=1, published=M4_ENTRIES),
}


@contextmanager
def no_figure(contest: str) -> Iterator[None]:
    """Turn what keeps a contest from being run into a BenchError that names it."""
    try:
        yield
    except (BundleError, DataError, SettingsError) as error:
        raise BenchError(f"{contest}: {error}") from error


def run(name: str, seed: int, tell: Callable[[str], None], recipes: Path = RECIPES) -> Row:
    """Fit a contest's recipe with a seed, and score it on its test part. Raises BenchError."""
    path = recipes / f"{name}.toml"
    started = time.monotonic()
    with no_figure(name), tempfile.TemporaryDirectory(prefix="tidecast-accuracy-") as scratch:
        recipe = replace(read_recipe(path), seed=seed)
        order = Order(recipe, path.parent, Path(scratch), Path(scratch) / "fit.checkpoint")
        manifest = read_bundle(build(order, Listener(lambda _: None, tell))).manifest
    return _row(name, seed, manifest, (time.monotonic() - started) / 60)


def _row(name: str, seed: int, manifest: Manifest, minutes: float) -> Row:
    """The back-test's figures, those of the contest's own protocol."""
    found: dict[str, Any] = manifest.figures["back_tests"]["test part"]
    owes = CONTESTS[name].owa is not None
    return Row(
        contest=name,
        data=CONTESTS[name].data,
        horizon=manifest.horizon,
        model=name,
        seed=seed,
        mse=None if owes else found["standard_mse"],
        mae=None if owes else found["standard_mae"],
        owa=found["owa"] if owes else None,
        mase=found.get("mase"),
        coverage=found["coverage"],
        minutes=round(minutes, 2),
    )
