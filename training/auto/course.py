"""What is tried next, from what was tried so far and the time that is left.

First each family with sensible settings, then variations of the best two, then ensembles of the
best few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import msgspec

from training.auto.candidates import Candidate, Plan, best_first
from training.auto.ground import first_recipes, ground_of, name_of
from training.auto.variations import draw, space_of
from training.classic.family import ClassicConfig
from training.config import EnsembleConfig, Recipe, SingleFamily
from training.models.forecaster import ForecasterConfig
from training.source import Endless, Source
from training.tuning.space import Document, chosen, varied

FIRST: Final = 0.6
"""Part of the time for first tries."""
JOINED: Final = 0.1
"""Part of the time that is left for ensembles."""
PROMISING: Final = 2
"""Families of which variations are tried."""
FEW: Final = 3
"""Members of an ensemble, at most: a worker runs all of them at every event."""
MOST: Final = 500
"""Candidates, should they all fail at once."""


@final
class Course:
    """The plan of one choice; it remembers nothing, so that a choice can go on after a kill."""

    def __init__(self, recipe: Recipe, source: Source, seconds: float) -> None:
        """seconds: for all candidates together."""
        self._recipe = recipe
        self._seconds = seconds
        self._firsts = {f"{name_of(one)}-1": one for one in first_recipes(recipe, source)}
        self._share = seconds * FIRST / len(self._firsts)
        self._ground = ground_of(recipe, source)
        self._endless = isinstance(source, Endless)
        self._one_channel = isinstance(source, Endless) or len(source.table.channels) == 1

    def next(self, candidates: Sequence[Candidate]) -> Plan | None:
        """The next candidate; None where the time is over and all is said."""
        if len(candidates) >= MOST:
            return None
        used = sum(one.seconds for one in candidates)
        left = self._seconds * (1 - JOINED) - used
        waiting = [name for name in self._firsts if name not in _names(candidates)]
        if waiting and (left > 0 or not candidates):
            share = (self._seconds * FIRST - used) / len(waiting)
            # Those before it may have taken too long; it is to have a chance all the same.
            return _plan(waiting[0], self._firsts[waiting[0]], max(share, self._share / 2))
        return (self._variation(candidates, left) if left > 0 else None) or self._joined(candidates)

    def _variation(self, candidates: Sequence[Candidate], left: float) -> Plan | None:
        """Another one of the best families, of those that end in time the one tried least."""
        promising = [one.plan.family for one in _best_of_families(candidates)][:PROMISING]
        of_family = {
            family: [one for one in candidates if one.plan.family == family] for family in promising
        }
        in_time = [family for family, tried in of_family.items() if self._needs(tried) <= left]
        if not in_time:
            return None
        family = min(in_time, key=lambda one: len(of_family[one]))
        tried = of_family[family]
        first, number = self._firsts[f"{family}-1"], len(tried) + 1
        space = space_of(first, self._ground)
        drawn = draw(space, tried, self._recipe.seed + number)
        recipe = varied(msgspec.to_builtins(first), chosen(space, drawn))
        return Plan(f"{family}-{number}", family, recipe, self._share, drawn)

    def _needs(self, tried: Sequence[Candidate]) -> float:
        """Seconds that another one takes: a fit by steps ends with its share, others do not."""
        name = f"{tried[0].plan.family}-1"
        if isinstance(self._firsts[name].model, ClassicConfig):
            return max(one.seconds for one in tried)
        return self._share

    def _joined(self, candidates: Sequence[Candidate]) -> Plan | None:
        """The best few, each of another family, as one."""
        best = _best_of_families(candidates)
        alike = [one for one in best if self._sees(one) == self._sees(best[0])][:FEW]
        if len(alike) < 2:
            return None
        for method in ("mean",) if self._endless else ("mean", "stacked"):
            name = f"{method}-of-" + "-".join(one.plan.name for one in alike)
            if name not in _names(candidates):
                names = tuple(one.plan.name for one in alike)
                recipe = self._ensemble(method, alike)
                return Plan(name, "ensemble", recipe, members=names)
        return None

    def _ensemble(self, method: str, members: Sequence[Candidate]) -> Document:
        """A recipe of them all, which fits each as the best one was fitted."""
        families = [one.plan.recipe["model"] for one in members]
        classic = any(isinstance(self._model(one), ClassicConfig) for one in members)
        document: dict[str, Any] = msgspec.to_builtins(self._recipe)
        return document | {
            "model": {"family": "ensemble", "members": families, "method": method},
            "fit": members[0].plan.recipe["fit"],
            "augment": [] if classic else document["augment"],
        }

    def _sees(self, candidate: Candidate) -> str:
        """Members of an ensemble see the same channels; a streaming one the target's alone."""
        streams = isinstance(self._model(candidate), ForecasterConfig)
        return "target" if streams and not self._one_channel else "all"

    def _model(self, candidate: Candidate) -> SingleFamily | EnsembleConfig:
        return self._firsts[f"{candidate.plan.family}-1"].model


def _plan(name: str, recipe: Recipe, share_s: float) -> Plan:
    return Plan(name, name_of(recipe), msgspec.to_builtins(recipe), share_s)


def _names(candidates: Sequence[Candidate]) -> set[str]:
    return {one.plan.name for one in candidates}


def _best_of_families(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best candidate of each family with a figure, best first; ensembles are none."""
    best: dict[str, Candidate] = {}
    for one in best_first(candidates):
        best.setdefault(one.plan.family, one)
    return [one for family, one in best.items() if family != "ensemble"]
