"""A choice among families from the first candidate to the winner's bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tidecast.bundle import Bundle
from tidecast.errors import SettingsError
from training.auto.candidates import Candidate, Ledger, best_first
from training.auto.course import Course
from training.auto.page import write_auto_page
from training.auto.tryout import Bench, try_out
from training.build import Order, publish
from training.config import read_toml, recipe_of
from training.fitting.fitted import Listener
from training.logs.log import Kind
from training.source import open_source
from training.tuning.home import held, require_same
from training.tuning.recipes import write_recipe

Watch = Callable[[Sequence[Candidate], float], None]
"""Told of the candidates so far, and the seconds that they have taken."""


class AutoOrder(NamedTuple):
    """A choice. config: the recipe's file. seconds: for all candidates together, kills between
    them left out. parent: of bundles. runs: of all that a choice keeps.
    """

    config: Path
    seconds: float
    parent: Path
    runs: Path
    log: Kind | None = None


class Chosen(NamedTuple):
    """The winner's bundle, the page about the candidates, and these."""

    bundle: Path
    page: Path
    candidates: Sequence[Candidate]


def choose(order: AutoOrder, listener: Listener, watch: Watch) -> Chosen:
    """Try candidates until the time is over, and build the best on validation as a bundle.

    The test part is back-tested once, with the winner. Its bundle's folder holds its recipe as
    well. Raises DataError when the data do not do, SettingsError when no candidate gave a figure.
    """
    document = read_toml(order.config, "recipe")
    recipe = recipe_of(document, str(order.config))
    source = open_source(recipe, order.config.parent)
    with held(order.runs / f"{recipe.name}-{recipe.version}-auto") as home:
        # More time may be given on the way.
        require_same(home, source, document, "auto")
        bench = Bench(source, Ledger(home), order.runs, order.log)
        _try_all(bench, Course(recipe, source, order.seconds), listener, watch)
        candidates = bench.ledger.candidates
        page = write_auto_page(home / "candidates.html", recipe.name, candidates)
        winner = best_of(candidates)
        listener.stage(f"{winner.plan.name} is the best: {winner.figure:.5g} on validation")
        return Chosen(_published(order, bench, winner, listener), page, candidates)


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """The one with the smallest figure. Raises SettingsError when none has one."""
    ordered = best_first(candidates)
    if not ordered:
        said = candidates[0].message if candidates else "nothing"
        raise SettingsError(f"no candidate gave a figure; the first one said: {said}")
    return ordered[0]


def _try_all(bench: Bench, course: Course, listener: Listener, watch: Watch) -> None:
    ledger = bench.ledger
    watch(ledger.candidates, ledger.seconds)
    while (plan := ledger.planned() or course.next(ledger.candidates)) is not None:
        listener.stage(f"trying {plan.name}")
        found = try_out(bench, plan, listener)
        listener.stage(found.message or f"{plan.name} has {found.figure:.5g} on validation")
        watch(ledger.candidates, ledger.seconds)


def _published(order: AutoOrder, bench: Bench, winner: Candidate, listener: Listener) -> Path:
    """The winner under the recipe's own name, as it was fitted."""
    recipe, folder = recipe_of(winner.plan.recipe, winner.plan.name), order.config.parent
    kept = bench.ledger.bundle(winner.plan.name)
    manifest = msgspec.structs.replace(kept.manifest, name=recipe.name, version=recipe.version)
    bundle = Bundle(manifest, kept.graph)
    ordered = Order(recipe, folder, order.parent, bench.ledger.checkpoint(winner.plan))
    written = publish(ordered, bench.source, bundle, (), listener)
    write_recipe(written / "recipe.toml", winner.plan.recipe, folder)
    return written
