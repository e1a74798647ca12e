"""The command line of the offline side: `python -m training`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from tidecast.bundle import read_bundle
from tidecast.errors import SettingsError, TidecastError
from training.benchmarks import StreamBenchmark, load
from training.build import Job, build
from training.config import Recipe, read_recipe
from training.data.columns import FileSource, Layout
from training.data.profile_page import print_profile
from training.evaluate import back_test
from training.progress import shown
from training.runner import Runner

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def training() -> None:
    """From history to a verified model bundle."""


@app.command()
def fit(
    config: Annotated[Path, typer.Option(help="The recipe, a TOML file.")],
    data: Annotated[Path | None, typer.Option(help="A file in place of the recipe's.")] = None,
    out: Annotated[Path, typer.Option(help="Parent folder of bundles.")] = Path("onnx_models"),
    runs: Annotated[Path, typer.Option(help="Folder of checkpoints.")] = Path("runs"),
    resume: Annotated[bool, typer.Option(help="Go on from the recipe's checkpoint.")] = False,
) -> None:
    """Train a model, check it, back-test it, and write OUT/<name>/<version>/.

    Example: python -m training fit --config training/recipes/general-gru.toml
    """
    recipe = read_recipe(config)
    if data is not None:
        recipe = _with_data(recipe, data)
    checkpoint = runs / f"{recipe.name}-{recipe.version}.checkpoint"
    with shown(recipe.fit.steps) as listener:
        folder = build(Job(recipe, config.parent, out, checkpoint, resume), listener)
    typer.echo(folder)


@app.command()
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A bundle's folder.")],
    data: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    first: Annotated[int, typer.Option(min=1, help="Slots that only warm the state.")],
    layout: Annotated[Literal["wide", "long"], typer.Option(help="Form of the file.")] = "wide",
    seasonality: Annotated[int, typer.Option(min=1, help="Period of the baseline, slots.")] = 24,
) -> None:
    """Back-test a bundle on a file and print the scores as JSON.

    Example: python -m training evaluate onnx_models/general-gru/1 load.csv --first 8640
    """
    loaded = read_bundle(bundle)
    benchmark = StreamBenchmark(data.name, str(data.absolute()), first, layout)
    task = load(benchmark, Path(), loaded.manifest.horizon, seasonality)
    scores, _ = back_test(Runner(loaded.graph), task, loaded.manifest.quantile_levels)
    typer.echo(msgspec.json.format(msgspec.json.encode(scores), indent=2).decode())


@app.command()
def profile(
    data: Annotated[Path, typer.Argument(help="A CSV or Parquet file, a folder or a glob.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures here.")] = None,
    layout: Annotated[Layout, typer.Option(help="Form of the files.")] = "wide",
    time: Annotated[str | None, typer.Option(help="The time column.")] = None,
    label: Annotated[str | None, typer.Option(help="The column of the label.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="A column known ahead.")] = None,
    step_seconds: Annotated[int | None, typer.Option(min=1, help="Step of the grid.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="CHANNEL=UNIT, shown with it.")] = None,
) -> None:
    """Show what is in the data: gaps, duplicates, outliers, ranges, seasons, classes.

    Example: python -m training profile ETTh1.csv --layout channels --html profile.html
    """
    shown = FileSource(
        str(data.absolute()), layout, time, (), label, tuple(known or ()), step_seconds
    )
    units = dict(_pair(text) for text in unit or ())
    print_profile(shown, units, html)


def _with_data(recipe: Recipe, path: Path) -> Recipe:
    """Put another file in place of the recipe's."""
    if not isinstance(recipe.data, FileSource):
        raise SettingsError("--data needs a recipe whose source is file; this one is synthetic")
    source = msgspec.structs.replace(recipe.data, path=str(path.absolute()))
    return msgspec.structs.replace(recipe, data=source)


def _pair(text: str) -> tuple[str, str]:
    name, found, unit = text.partition("=")
    if not found:
        raise SettingsError(f"--unit {text} is not CHANNEL=UNIT")
    return name, unit


def main() -> None:
    """Run the command line. An error of ours is one line and its exit code, never a traceback."""
    try:
        app()
    except TidecastError as error:
        sys.stderr.write(f"training: {error}\n")
        sys.exit(error.exit_code)
