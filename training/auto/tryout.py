"""One candidate: fitted within its share of the time, or joined from others, and measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tidecast.bundle import Bundle
from tidecast.errors import SettingsError, TidecastError
from training.auto.candidates import Candidate, Ledger, Plan
from training.auto.pace import paced
from training.config import EnsembleConfig, Recipe, recipe_of
from training.ensemble.build import ensemble
from training.ensemble.members import common_future
from training.fitting.ensemble import calibrated, validation_rows
from training.fitting.fitted import Job, Listener
from training.logs.log import Kind, open_log
from training.source import Source
from training.tuning.objective import ORIGINS, fit_and_validate, validation_figure

NOWHERE: Final = Path()
"""Of a job that fits nothing by steps."""


class Bench(NamedTuple):
    """What all candidates have in common. runs, log: where their fits are logged."""

    source: Source
    ledger: Ledger
    runs: Path
    log: Kind | None


def try_out(bench: Bench, plan: Plan, listener: Listener) -> Candidate:
    """Make a candidate, keep its bundle and note it; what goes wrong with it is noted as well.

    Raises SettingsError when the run cannot be logged.
    """
    begun = time.monotonic()
    figure, message = None, ""
    try:
        plan = plan if plan.members else _begun(bench, plan, listener)
    except TidecastError as error:
        message = str(error)
    else:
        figure, message = _measured(bench, plan, listener)
    candidate = Candidate(plan, figure, message, round(time.monotonic() - begun, 1))
    bench.ledger.end(candidate)
    return candidate


def _begun(bench: Bench, plan: Plan, listener: Listener) -> Plan:
    """The plan with as many steps as its share allows; one that was interrupted stays as it is."""
    if bench.ledger.planned() != plan:
        recipe = paced(recipe_of(plan.recipe, plan.name), bench.source, plan.share_s, listener)
        plan = msgspec.structs.replace(plan, recipe=msgspec.to_builtins(recipe))
    bench.ledger.begin(plan)
    return plan


def _measured(bench: Bench, plan: Plan, listener: Listener) -> tuple[float | None, str]:
    """The figure of a candidate, which is logged as a run, or what went wrong."""
    name = f"{plan.recipe['name']}-{plan.name}"
    with open_log(bench.log, bench.runs, name, plan.recipe) as log:
        try:
            heard = log.heard(listener)
            figure = _joined(bench, plan, heard) if plan.members else _fitted(bench, plan, heard)
        except TidecastError as error:
            return None, str(error)
        log.figures({"validation_figure": figure})
    return figure, ""


def _fitted(bench: Bench, plan: Plan, listener: Listener) -> float:
    recipe = recipe_of(plan.recipe, plan.name)
    deadline = time.monotonic() + plan.share_s
    job = Job(recipe, bench.source, bench.ledger.checkpoint(plan), True, deadline)
    found = fit_and_validate(job, ORIGINS, listener)
    bench.ledger.keep(plan, found.bundle)
    return found.figure


def _joined(bench: Bench, plan: Plan, listener: Listener) -> float:
    recipe = recipe_of(plan.recipe, plan.name)
    members = [bench.ledger.bundle(name) for name in plan.members]
    bundle = _as_one(members, recipe, bench.source, listener)
    bench.ledger.keep(plan, bundle)
    return validation_figure(bundle, recipe, bench.source, ORIGINS)


def _as_one(
    members: Sequence[Bundle], recipe: Recipe, source: Source, listener: Listener
) -> Bundle:
    """Fitted members as one graph, calibrated; its manifest has theirs among its figures.

    Raises SettingsError when the recipe is of no ensemble, BundleError when members do not fit
    together.
    """
    config = recipe.model
    if not isinstance(config, EnsembleConfig):
        raise SettingsError(f"{recipe.name} names no ensemble to join its members by")
    found = ensemble(
        members, config.method, validation_rows(Job(recipe, source, NOWHERE), config, members)
    )
    figures = {
        "weights": [round(weight, 5) for weight in found.weights],
        "members": [
            {"training": one.manifest.training, "figures": one.manifest.figures} for one in members
        ],
    }
    manifest = msgspec.structs.replace(
        members[0].manifest,
        step_seconds=found.step_seconds,
        context=found.context,
        state_size=found.state_size,
        future=common_future(members),
        training=msgspec.to_builtins(recipe),
        figures=figures,
    )
    joined = Bundle.of(manifest, found.graph)
    graph, stretch = calibrated(joined, recipe, source, listener)
    return Bundle.of(msgspec.structs.replace(manifest, figures=figures | stretch), graph)
