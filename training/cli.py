"""The command line of the offline side: `python -m training`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import read_bundle
from tidecast.errors import SettingsError, TidecastError
from training.benchmarks import stream_case
from training.build import Order, build
from training.commands.choosing import Log, auto, tune
from training.config import Recipe, read_recipe
from training.data.bar import counted
from training.data.columns import FileSource
from training.data.columns import Layout as FileLayout
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.fitted import fit_some
from training.evaluate.history import read_history
from training.evaluate.scores import summary
from training.evaluate.scoring import score
from training.explain import page as explanation_page
from training.explain.explanation import explain as explained
from training.lighten.build import How
from training.lighten.build import Job as LightenJob
from training.lighten.build import lighten as lightened
from training.lighten.distil import Distillation
from training.lighten.int8 import DynamicInt8, StaticInt8
from training.lighten.prune import Pruning, Within
from training.lighten.student import Student, read_student
from training.logs.log import open_log
from training.profile.page import print_profile
from training.progress import shown
from training.report import page as report
from training.report.html import write_page

Bundle = Annotated[Path, typer.Argument(help="A bundle's folder.")]
Data = Annotated[Path, typer.Argument(help="A CSV or Parquet file.")]
First = Annotated[
    int, typer.Option(min=1, help="Slots before the first answer; errors are scaled by them.")
]
Layout = Annotated[FileLayout, typer.Option(help="Form of the file.")]
Seasonality = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Period of the baselines and of MASE, slots.",
        show_default="by the step: a day, of daily data a week",
    ),
]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


app.command()(tune)
app.command()(auto)


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
    log: Log = None,
) -> None:
    """Train a model, check it, back-test it, and write OUT/<name>/<version>/.

    Example: python -m training fit --config training/recipes/general-gru.toml
    """
    recipe = read_recipe(config)
    if data is not None:
        recipe = _with_data(recipe, data)
    name = f"{recipe.name}-{recipe.version}"
    checkpoint = runs / f"{name}.checkpoint"
    document = msgspec.to_builtins(recipe)
    with shown(recipe.fit.steps) as listener, open_log(log, runs, name, document) as course:
        order = Order(recipe, config.parent, out, checkpoint, resume)
        folder = build(order, course.heard(listener))
        course.figures(read_bundle(folder).manifest.figures)
    typer.echo(folder)


@app.command()
def evaluate(
    bundle: Bundle,
    data: Data,
    first: First,
    layout: Layout = "wide",
    seasonality: Seasonality = None,
    fitted: Annotated[
        int, typer.Option(min=0, help="At how many answers to fit ETS and Theta, a second each.")
    ] = 0,
    html: Annotated[Path | None, typer.Option(help="Write a report there.")] = None,
) -> None:
    """Back-test a bundle on a file, through the serving engine; print the scores as JSON.

    One line on standard error says how the model does beside the baselines.

    Example: python -m training evaluate onnx_models/general-gru/1 load.csv --first 8640
    """
    predictor = OnnxPredictor(read_bundle(bundle))
    test = back_test(predictor, _case(predictor, data, first, layout, seasonality))
    with counted("ETS and Theta") as tell:
        scores = score(test, fit_some(test, fitted, tell))
    typer.echo(summary(scores), err=True)
    if html is not None:
        write_page(html, report.render(predictor.manifest, [report.Section(test, scores)], ()))
    typer.echo(msgspec.json.format(msgspec.json.encode(scores.figures()), indent=2).decode())


@app.command()
def explain(
    bundle: Bundle,
    data: Data,
    first: First,
    html: Annotated[Path, typer.Option(help="Where to write the page.")],
    layout: Layout = "wide",
    seasonality: Seasonality = None,
) -> None:
    """Show what a bundle's answers rest on, and for which groups of series they are worse.

    Example: python -m training explain onnx_models/general-gru/1 load.csv --first 900 --html x.html
    """
    predictor = OnnxPredictor(read_bundle(bundle))
    case = _case(predictor, data, first, layout, seasonality)
    write_page(html, explanation_page.render(explained(predictor, case)))
    typer.echo(html)


def _case(
    predictor: OnnxPredictor, data: Path, first: int, layout: FileLayout, seasonality: int | None
) -> Case:
    table = read_history(data, layout, predictor.manifest)
    return stream_case(data.name, table, first, predictor.manifest, seasonality)


@app.command()
def lighten(
    bundle: Bundle,
    data: Data,
    first: Annotated[
        int, typer.Option(min=1, help="Slots to calibrate or teach with; the rest judges.")
    ],
    how: Annotated[
        Literal["int8-dynamic", "int8-static", "prune", "distil"],
        typer.Option(help="The way: docs/lighter-models.md says which, when."),
    ],
    name: Annotated[str, typer.Option(help="Of the new bundle.")],
    most_loss: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Refuse a score that is larger by more than this part of the bundle's own: the "
            "pinball loss over MASE's scale, or a classifier's log loss.",
        ),
    ] = 0.02,
    out: Annotated[Path, typer.Option(help="Parent folder of bundles.")] = Path("onnx_models"),
    share: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="prune: part of the weights.")
    ] = Pruning().share,
    within: Annotated[
        Within, typer.Option(help="prune: the part of each matrix, or of all together.")
    ] = "each",
    student: Annotated[
        Path | None, typer.Option(help="distil: a TOML file with [model], [features], [fit].")
    ] = None,
    layout: Layout = "wide",
    seasonality: Seasonality = None,
) -> None:
    """Make a bundle smaller or faster; refuse it where that costs too much accuracy.

    Example: python -m training lighten onnx_models/general-gru/1 load.csv --first 8640
    --how int8-static --name general-gru-int8
    """
    ways: dict[str, Callable[[], How]] = {
        "int8-dynamic": DynamicInt8,
        "int8-static": StaticInt8,
        "prune": lambda: Pruning(share, within),
        "distil": lambda: Distillation(read_student(student) if student else Student()),
    }
    job = LightenJob(bundle, data, first, ways[how](), name, out, most_loss, layout, seasonality)
    typer.echo(lightened(job, lambda line: typer.echo(line, err=True)))


@app.command()
def profile(
    data: Annotated[Path, typer.Argument(help="A CSV or Parquet file, a folder or a glob.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures here.")] = None,
    layout: Layout = "wide",
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
        tag = recipe.data.__struct_config__.tag
        raise SettingsError(f"--data needs a recipe whose source is file, not {tag}")
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
