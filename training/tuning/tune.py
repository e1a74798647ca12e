"""A search from its first trial to the bundle of the best recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from tidecast.errors import SettingsError
from training.build import Order, build
from training.config import read_toml, recipe_of
from training.fitting.fitted import Listener
from training.logs.log import Kind, open_log
from training.source import open_source
from training.tuning.attempt import Bench, Turn
from training.tuning.home import held, require_same
from training.tuning.page import write_search_page
from training.tuning.recipes import write_recipe
from training.tuning.search import SearchConfig
from training.tuning.space import Document, check_paths, varied
from training.tuning.trials import Outcome, Trials, Tried
from training.tuning.workers import make_trials

Watch = Callable[[list[Tried], int], None]
"""Told of the trials that are over, and how many there will be."""


class TuneOrder(NamedTuple):
    """A search. config: the recipe's file. parent: of bundles. runs: of all that a search keeps.

    jobs: trials at a time.
    """

    config: Path
    search: SearchConfig
    parent: Path
    runs: Path
    jobs: int = 1
    log: Kind | None = None


class Found(NamedTuple):
    """The best recipe's bundle, and the page about the trials."""

    bundle: Path
    page: Path


def tune(order: TuneOrder, listener: Listener, watch: Watch) -> Found:
    """Make the trials that are not yet made, and build the best recipe.

    Its bundle's folder holds the recipe as well. Raises SettingsError before the first trial when a
    path is none of the recipe's, and after the last when none gave a figure; DataError when the
    data do not do.
    """
    search, document = order.search, read_toml(order.config, "recipe")
    recipe = recipe_of(document, str(order.config))
    check_paths(document, search.space)
    source = open_source(recipe, order.config.parent)
    home = order.runs / f"{recipe.name}-{recipe.version}-search"
    # The log is there before processes beside each other would all begin it.
    with held(home), open_log(order.log, order.runs, f"{recipe.name}-search", document) as log:
        # More trials may be asked for on the way.
        require_same(home, source, document, msgspec.structs.replace(search, trials=1))
        trials = Trials(home, search)
        watch(trials.over(), trials.most)
        _make(order, _bench(order, document, home), trials, listener, watch)
        page = write_search_page(home / "search.html", recipe.name, search, trials.over())
        best = best_of(trials.over())
        log.figures({"validation_figure": best.outcome.figure})
        listener.stage(f"trial {best.number} is the best: {best.outcome.figure:.5g} on validation")
        checkpoint = home / f"best-{best.number}.checkpoint"
        return Found(_build(order, varied(document, best.settings), checkpoint, listener), page)


def best_of(trials: list[Tried]) -> Tried:
    """The trial with the smallest figure. Raises SettingsError when none has one."""
    done = {one.outcome.figure: one for one in trials if one.outcome.figure is not None}
    if not done:
        said = next((one.outcome.message for one in trials if one.outcome.message), "nothing")
        raise SettingsError(f"no trial gave a figure; the first that failed said: {said}")
    return done[min(done)]


def _bench(order: TuneOrder, document: Document, home: Path) -> Bench:
    search = order.search
    return Bench(
        recipe=msgspec.json.encode(document),
        folder=order.config.parent,
        home=home,
        folds=search.folds,
        origins=search.origins,
        prune=search.prune,
        runs=order.runs,
        log=order.log,
    )


def _make(order: TuneOrder, bench: Bench, trials: Trials, listener: Listener, watch: Watch) -> None:
    document = msgspec.json.decode(bench.recipe)

    def ask() -> Turn | None:
        asked = trials.ask()
        return asked and Turn(asked, varied(document, asked.settings))

    def tell(number: int, outcome: Outcome) -> None:
        trials.tell(number, outcome)
        watch(trials.over(), trials.most)

    make_trials(bench, ask, tell, order.jobs, listener)


def _build(order: TuneOrder, document: Document, checkpoint: Path, listener: Listener) -> Path:
    """The best recipe's bundle, fitted anew on its own split: a fold is only a part of it."""
    recipe, folder = recipe_of(document, "best recipe"), order.config.parent
    begun = any(checkpoint.parent.glob(f"{checkpoint.stem}*"))
    ordered = Order(recipe, folder, order.parent, checkpoint, resume=begun)
    with open_log(order.log, order.runs, f"{recipe.name}-best", document) as log:
        bundle = build(ordered, log.heard(listener))
    write_recipe(bundle / "recipe.toml", document, folder)
    return bundle
