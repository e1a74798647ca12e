"""The command `scripts/bench accuracy`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from bench.accuracy.contest import chosen, run
from bench.accuracy.rows import as_json, table_of


def accuracy(
    only: Annotated[
        list[str] | None, typer.Option(help="One contest; several times for several.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Fits of each; by default 3, of an ensemble 1.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """How good forecasts are on ETT and M4 Hourly, fitted anew; no servers needed.

    Example: scripts/bench accuracy --only etth1-96 --seeds 1
    """
    contests = chosen(only)
    rows = []
    for name, contest in contests.items():
        for seed in range(1, (seeds or contest.seeds) + 1):
            rows.append(run(name, seed, lambda line: typer.echo(line, err=True)))
            typer.echo(rows[-1], err=True)
    bars = {name: contest._asdict() for name, contest in contests.items()}
    Console(file=sys.stderr if json else sys.stdout).print(table_of(rows, bars))
    if json:
        typer.echo(as_json(rows).decode())
