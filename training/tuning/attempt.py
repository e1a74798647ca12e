"""One trial, in whatever process: a recipe is fitted, on each fold, and measured."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Final, NamedTuple, get_args

import msgspec
from optuna import TrialPruned
from optuna.trial import Trial

from tidecast.errors import TidecastError
from training.config import EnsembleConfig, Recipe, SingleFamily, recipe_of
from training.data.folds import FoldRule
from training.fit import Progress
from training.fitting.fitted import Job, Listener
from training.logs.log import Kind, open_log
from training.source import Source, open_source
from training.tuning.objective import fit_and_validate, folds_of
from training.tuning.space import Document
from training.tuning.trials import Asked, Outcome, State, open_study

STEPS_OF_A_FAMILY: Final = 10**9
"""Room for the steps of a family's fits, which are compared with no other's."""


SILENT: Final = Listener(lambda _: None, lambda _: None)
"""Of fits whose steps would be mixed with another's."""


class Bench(NamedTuple):
    """What all trials of a search have in common.

    recipe: JSON; its data are read once in each process. folder: where the recipe's relative paths
    start. home: the search's own. origins: of a validation part, at most.
    """

    recipe: bytes
    folder: Path
    home: Path
    folds: FoldRule | None
    origins: int
    prune: bool
    runs: Path
    log: Kind | None


class Turn(NamedTuple):
    """One trial. recipe: as TOML has it, with the trial's settings."""

    asked: Asked
    recipe: Document


def attempt(bench: Bench, turn: Turn, listener: Listener) -> Outcome:
    """Fit and measure; what goes wrong with these settings is the outcome.

    Raises SettingsError when the run cannot be logged.
    """
    begun = time.monotonic()
    name = f"{turn.recipe['name']}-trial-{turn.asked.number}"
    with open_log(bench.log, bench.runs, name, turn.recipe) as log:
        state, figure, message = _tried(bench, turn, log.heard(listener))
        log.figures({} if figure is None else {"validation_figure": figure})
    return Outcome(state, figure, message, round(time.monotonic() - begun, 1))


def _tried(bench: Bench, turn: Turn, listener: Listener) -> tuple[State, float | None, str]:
    try:
        with _checkpoints(bench, turn) as folder:
            return "done", _figure(bench, turn, listener, folder), ""
    except TrialPruned:
        return "pruned", None, ""
    except TidecastError as error:
        return "failed", None, str(error)


def _figure(bench: Bench, turn: Turn, listener: Listener, folder: Path) -> float:
    """The mean over the folds; checkpoints go into the folder."""
    recipe = recipe_of(turn.recipe, f"trial {turn.asked.number}")
    figures = []
    for fold, part in enumerate(folds_of(_source(bench.recipe, bench.folder), recipe, bench.folds)):
        # The first fold says enough of how a fit goes; those after it are other data.
        told = _pruned(bench, turn, recipe, listener) if fold == 0 else SILENT
        job = Job(recipe, part, folder / f"fold-{fold}.checkpoint", resume=True)
        figures.append(fit_and_validate(job, bench.origins, told).figure)
    return fmean(figures)


@lru_cache(1)
def _source(recipe: bytes, folder: Path) -> Source:
    return open_source(recipe_of(msgspec.json.decode(recipe), "recipe"), folder)


@contextmanager
def _checkpoints(bench: Bench, turn: Turn) -> Iterator[Path]:
    """A folder for checkpoints, which goes with the trial, unless the whole search is stopped."""
    folder = bench.home / f"trial-{turn.asked.first}"
    try:
        yield folder
    except (TidecastError, TrialPruned):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _pruned(bench: Bench, turn: Turn, recipe: Recipe, listener: Listener) -> Listener:
    """Report each validation to the study, and raise TrialPruned where it is of no use to go on.

    Not of an ensemble, whose members are fitted one after another.
    """
    family = recipe.model
    if not bench.prune or isinstance(family, EnsembleConfig):
        return listener
    trial = Trial(open_study(bench.home, prune=True), turn.asked.storage_id)
    first = first_step(family)

    def step(now: Progress) -> None:
        listener.step(now)
        if now.step % recipe.fit.validate_every == 0 and math.isfinite(now.validation):
            trial.report(now.validation, first + now.step)
            if trial.should_prune():
                raise TrialPruned

    return listener._replace(step=step)


def first_step(family: SingleFamily) -> int:
    """Where a family's steps begin in the study: losses of two families are not of one kind."""
    place: int = get_args(SingleFamily).index(type(family))
    return place * STEPS_OF_A_FAMILY
