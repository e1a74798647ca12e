"""How many steps of a fit there is time for, so that its schedule comes to an end."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from training.classic.family import ClassicConfig
from training.config import Recipe
from training.fit import Progress
from training.fitting.family import fit_family
from training.fitting.fitted import Job, Listener
from training.source import Source

WARM: Final = 2
"""Steps that are not timed: the first ones prepare what the others find."""
TIMED: Final = 6
LEAST: Final = 20
"""Fewer steps teach nothing; a fit that has no time for them is cut off by its deadline."""
SPENT: Final = 0.7
"""Part of a share that goes into steps; validations, export and back-test take the rest."""
VALIDATIONS: Final = 12


class _TimedError(Exception):
    """Enough steps were timed."""


def paced(recipe: Recipe, source: Source, share_s: float, listener: Listener) -> Recipe:
    """The recipe with as many steps as fit into its share, and no more than it asks for.

    Of a classic family nothing changes. Raises as `fit_family` does.
    """
    if all(isinstance(family, ClassicConfig) for family in recipe.families):
        return recipe
    room = SPENT * share_s / len(recipe.families) / _seconds_a_step(recipe, source, listener)
    steps = min(recipe.fit.steps, max(LEAST, int(room)))
    every = min(recipe.fit.validate_every, max(1, steps // VALIDATIONS))
    return _with_steps(recipe, steps, every)


def _seconds_a_step(recipe: Recipe, source: Source, listener: Listener) -> float:
    times: list[float] = []

    def step(now: Progress) -> None:
        del now
        times.append(time.monotonic())
        if len(times) == WARM + TIMED:
            raise _TimedError

    steps = WARM + TIMED + 1
    job = Job(_with_steps(recipe, steps, steps), source, Path())
    with suppress(_TimedError):
        fit_family(job, listener._replace(step=step))
    return (times[-1] - times[WARM - 1]) / TIMED


def _with_steps(recipe: Recipe, steps: int, every: int) -> Recipe:
    fit = msgspec.structs.replace(recipe.fit, steps=steps, validate_every=every)
    return msgspec.structs.replace(recipe, fit=fit)
