"""The command line: one file a command group. Commands parse, call, and show; nothing else.

Heavy libraries are imported inside the commands, so that `tidecast --help` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tidecast.cli import check, demo, local, publish, schemas, state, subscribe, topics, worker
from tidecast.errors import TidecastError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(publish.publish)
app.command()(subscribe.subscribe)
app.command()(worker.worker)
app.command()(check.check)
app.command()(demo.demo)
app.command()(schemas.schemas)
app.add_typer(topics.app, name="topics")
app.add_typer(state.app, name="state")
app.add_typer(local.app, name="local")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tidecast {version('tidecast')}")
        raise typer.Exit


@app.callback()
def tidecast(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Streaming real-time forecasts: observations in, probabilistic forecasts out.

    Example: tidecast topics create, then tidecast worker, then tidecast publish load.csv
    """


def main() -> None:
    """Run the command line. An error of ours is one line and its exit code, never a traceback."""
    try:
        app()
    except TidecastError as error:
        sys.stderr.write(f"tidecast: {error}\n")
        sys.exit(error.exit_code)
