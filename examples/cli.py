"""The command line of the examples: `python -m examples`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from examples.catalogue import EXAMPLES, example_of
from tidecast.errors import TidecastError

if TYPE_CHECKING:
    from examples.run import Made

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def examples() -> None:
    """Worked examples, from data to a bundle that a worker serves."""


@app.command("list")
def list_examples() -> None:
    """Show the examples there are, and which of them lack their data."""
    for example in EXAMPLES.values():
        there = example.needs is None or example.needs.exists()
        lacking = "" if there else f" (needs {example.needs})"
        typer.echo(f"{example.name:16} {example.what}{lacking}")


@app.command()
def run(name: Annotated[str, typer.Argument(help="Which example.")]) -> None:
    """Prepare the data, fit, back-test, and print the scores beside the baselines'.

    Example: python -m examples run tumour
    """
    example = example_of(name)
    # Imported here: it takes seconds, and `list` needs none of it.
    from examples.run import fit, prepare
    from examples.scores import shown as scores
    from training.config import read_recipe
    from training.progress import shown

    prepare(example)
    recipe = read_recipe(example.recipe)
    with shown(recipe.fit.steps) as listener:
        made = fit(example, recipe, listener)
    typer.echo(f"{scores(made.manifest)}\n")
    typer.echo(next_steps(made))


def next_steps(made: Made) -> str:
    """What to look at, and what to type with Kafka and Redis at hand."""
    bundle, arrivals, settings = map(os.path.relpath, (made.bundle, made.arrivals, made.settings))
    return "\n".join(
        (
            f"report     {bundle}/report.html",
            f"topics     tidecast topics create --settings {settings}",
            f"serve      tidecast worker --settings {settings}",
            f"publish    tidecast publish {arrivals} --settings {settings}",
            f"subscribe  tidecast subscribe --from-start --settings {settings}",
        )
    )


def main() -> None:
    """Run the command line. An error of ours is one line and its exit code, never a traceback."""
    try:
        app()
    except TidecastError as error:
        sys.stderr.write(f"examples: {error}\n")
        sys.exit(error.exit_code)
