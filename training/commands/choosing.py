"""The commands that choose a model: `tune` searches settings, `auto` tries families."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.auto.candidates import Candidate, best_first
from training.auto.choice import AutoOrder, choose
from training.auto.page import print_candidates
from training.logs.log import Kind
from training.tuning.bar import search_shown
from training.tuning.search import read_search
from training.tuning.trials import Tried
from training.tuning.tune import TuneOrder
from training.tuning.tune import tune as search_over

Config = Annotated[Path, typer.Option(help="The recipe, a TOML file.")]
Out = Annotated[Path, typer.Option(help="Parent folder of bundles.")]
Runs = Annotated[Path, typer.Option(help="Folder of all that is kept to go on from.")]
Log = Annotated[Kind | None, typer.Option(help="Log each fit there, below RUNS.")]


def tune(
    config: Config,
    search: Annotated[Path, typer.Option(help="What to vary, a TOML file.")],
    out: Out = Path("onnx_models"),
    runs: Runs = Path("runs"),
    jobs: Annotated[int, typer.Option(min=1, help="Trials at a time, a process each.")] = 1,
    log: Log = None,
) -> None:
    """Search a recipe's settings, and build the best on validation as OUT/<name>/<version>/.

    The same command goes on after a kill. RUNS/<name>-<version>-search/search.html shows the
    trials; the bundle's folder holds the best recipe.

    Example: python -m training tune --config recipe.toml --search search.toml --jobs 2
    """
    order = TuneOrder(config, read_search(search), out, runs, jobs, log)
    with search_shown("trials") as shown:

        def watch(over: list[Tried], most: int) -> None:
            figures = [one.outcome.figure for one in over if one.outcome.figure is not None]
            shown.far(len(over), most, min(figures, default=None))

        found = search_over(order, shown.listener, watch)
    typer.echo(found.page)
    typer.echo(found.bundle)


def auto(
    config: Config,
    minutes: Annotated[float, typer.Option(min=0.0, help="Time for all candidates together.")],
    out: Out = Path("onnx_models"),
    runs: Runs = Path("runs"),
    log: Log = None,
) -> None:
    """Try families within a time, and build the best on validation as OUT/<name>/<version>/.

    The recipe's own model is the first candidate. The same command goes on after a kill.
    RUNS/<name>-<version>-auto/candidates.html shows the candidates.

    Example: python -m training auto --config recipe.toml --minutes 30
    """
    order = AutoOrder(config, 60 * minutes, out, runs, log)
    with search_shown("seconds") as shown:

        def watch(candidates: Sequence[Candidate], seconds: float) -> None:
            best = next((one.figure for one in best_first(candidates)), None)
            shown.far(seconds, order.seconds, best)

        found = choose(order, shown.listener, watch)
    print_candidates(found.candidates, Console())
    typer.echo(found.page)
    typer.echo(found.bundle)
