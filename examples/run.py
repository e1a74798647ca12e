"""One example from its data to a bundle, its scores, and what to type next."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import tomli_w

from examples.arrivals import write_arrivals
from examples.catalogue import HERE, Example, require_data
from tidecast.bundle import Manifest, read_bundle
from training.build import Order, build
from training.config import Recipe
from training.fitting.fitted import Listener
from training.source import History, open_source

WORK: Final = HERE.parent / "runs" / "examples"
"""Everything that examples make; the recipes read their data from `data/` below it."""


class Made(NamedTuple):
    """What a run leaves: a bundle's folder, its manifest, events to publish, and the settings of a
    stream of its own that serves it.
    """

    bundle: Path
    manifest: Manifest
    arrivals: Path
    settings: Path


def prepare(example: Example, work: Path = WORK) -> Path:
    """Write the table that the recipe reads, where there is one to make; return its place.

    Raises DataError when the real data that it is made of are not there.
    """
    require_data(example)
    path = work / "data" / f"{example.name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    if example.history is not None:
        example.history().write_csv(path)
    return path


def fit(example: Example, recipe: Recipe, listener: Listener, work: Path = WORK) -> Made:
    """Fit the recipe to the prepared data.

    Raises DataError, SettingsError and BundleError as `build` does.
    """
    checkpoint = work / f"{recipe.name}.checkpoint"
    folder = build(Order(recipe, HERE, work / "bundles", checkpoint), listener)
    manifest = read_bundle(folder).manifest
    arrivals = work / "data" / f"{example.name}-arrivals.csv"
    source = open_source(recipe, HERE)
    if isinstance(source, History):
        write_arrivals(arrivals, source, manifest.context)
    settings = work / f"{example.name}-settings.toml"
    settings.write_text(_settings(folder, manifest), encoding="utf-8")
    return Made(folder, manifest, arrivals, settings)


def _settings(bundle: Path, manifest: Manifest) -> str:
    """A `tidecast.toml`: of the stream's settings, those that follow from the example."""
    stream = {"name": manifest.name, "step_seconds": manifest.step_seconds}
    return tomli_w.dumps({"stream": stream, "worker": {"model": str(bundle.absolute())}})
