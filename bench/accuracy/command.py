"""The command `scripts/bench accuracy`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from bench.tables import show_table


def accuracy(
    only: Annotated[
        list[str] | None, typer.Option(help="One contest; several times for several.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Fits of each; by default 3, of an ensemble 1.")
    ] = None,
    report: Annotated[
        bool, typer.Option(help="Run nothing: write docs/accuracy.md from the last results.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """How good forecasts are on ETT and M4 Hourly, fitted anew and zero-shot; no servers needed.

    Example: scripts/bench accuracy --only zero-shot
    """
    # Here, since other benches have no need of PyTorch, nor of matplotlib.
    from bench.accuracy import page, suite
    from bench.accuracy.kept import as_json, kept
    from bench.accuracy.tables import tables

    if report:
        page.write(kept())
        return
    contests = suite.run(suite.chosen(only or ()), seeds, lambda line: typer.echo(line, err=True))
    console = Console(file=sys.stderr if json else sys.stdout)
    for table in tables(contests):
        show_table(table, console)
    if json:
        typer.echo(as_json(contests).decode())
