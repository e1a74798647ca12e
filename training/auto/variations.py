"""Settings near those of a family that did well, drawn by Optuna from what was tried so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import optuna
from optuna.samplers import TPESampler
from optuna.trial import create_trial

from training.auto.candidates import Candidate
from training.auto.ground import Ground
from training.classic.family import ClassicConfig
from training.config import Recipe
from training.tuning.space import Dimension, Space

DRAWN: Final = 4
"""Variations of a family that are drawn blindly, before those so far say where to look."""

VARIED: Final = {
    "hidden": Dimension(choices=(32, 50, 64, 96, 128)),
    "width": Dimension(choices=(64, 128, 256)),
    "units": Dimension(choices=(64, 128, 256)),
    "dropout": Dimension(low=0.0, high=0.4),
    "skip": Dimension(choices=("linear", "mixture", "seasonal")),
    "correction": Dimension(choices=(True, False)),
    "segment": Dimension(choices=(4, 6, 8, 12, 24)),
    "penalty": Dimension(low=0.01, high=1000.0, log=True),
    "strength": Dimension(low=0.001, high=100.0, log=True),
    "trees": Dimension(low=20, high=100, step=10),
    "leaves": Dimension(choices=(16, 32, 64, 128)),
    "least": Dimension(low=1, high=20),
    "depth": Dimension(low=2, high=5),
    "rate": Dimension(low=0.03, high=0.3, log=True),
}
"""By key of a family's configuration."""
APERIODIC_SKIPS: Final = Dimension(choices=("linear", "mixture"))
"""Of a family that is told no period."""
FITTED: Final = {
    "fit.optimiser.learning_rate": Dimension(low=3e-4, high=1e-2, log=True),
    "fit.optimiser.weight_decay": Dimension(low=1e-6, high=1e-2, log=True),
}
"""Of all that is fitted by steps."""


def space_of(recipe: Recipe, ground: Ground) -> Space:
    """What may vary in a recipe of one family."""
    keys = msgspec.to_builtins(recipe.model)
    space = {f"model.{key}": one for key, one in VARIED.items() if key in keys}
    if not keys.get("periods", True):
        space["model.skip"] = APERIODIC_SKIPS
    if ground.most > ground.least:
        step = max(1, min(ground.period, ground.most - ground.least))
        space["model.context"] = Dimension(low=ground.least, high=ground.most, step=step)
    if not isinstance(recipe.model, ClassicConfig):
        optimiser = msgspec.to_builtins(recipe.fit.optimiser)
        space |= {path: one for path, one in FITTED.items() if path.split(".")[-1] in optimiser}
    return space


def draw(space: Space, tried: Sequence[Candidate], seed: int) -> dict[str, Any]:
    """A value for each path, as Optuna holds it; the same for the same candidates and seed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {path: one.distribution for path, one in space.items()}
    study = optuna.create_study(sampler=TPESampler(seed=seed, n_startup_trials=DRAWN))
    for one in tried:
        if one.figure is not None and one.plan.drawn.keys() == distributions.keys():
            drawn = one.plan.drawn
            known = create_trial(params=drawn, distributions=distributions, value=one.figure)
            study.add_trial(known)
    return dict(study.ask(distributions).params)
