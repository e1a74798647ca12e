"""Classic families are fitted at once, on rows."""

from __future__ import annotations

from typing import Final

from training.classic.families import ClassicFamily
from training.classic.fit import Job as ClassicJob
from training.classic.fit import fit_classic
from training.config import Recipe
from training.data.places import evenly
from training.data.table import part_of
from training.features.holidays import holidays_for
from training.fitting.fitted import Fitted, Listener
from training.models.assemble import front_of, measure
from training.parity import Finding
from training.samples import Samples
from training.source import History
from training.tasks.forecast import ForecastTask
from training.tasks.task import channel_of

OFFERED: Final = 4
"""Rows handed over for each that a family may learn from: it draws, and holds some back."""


def fit_rows(family: ClassicFamily, recipe: Recipe, history: History, listener: Listener) -> Fitted:
    """Fit a classic family, which sees what a windowed one sees."""
    table, cut, _ = history
    task = recipe.task
    statistics = measure(part_of(table, cut.training), task)
    holidays = holidays_for(recipe.features.holidays, table)
    front = front_of(family.context, recipe.features, task, statistics, holidays.days)
    samples = Samples(table, task, family.context, cut.training)
    rows = samples.at(evenly(len(samples), OFFERED * family.rows))
    channel = channel_of(task, table) if isinstance(task, ForecastTask) else 0
    listener.stage(f"fitting on {len(rows.origins):,} windows at most")
    found = fit_classic(ClassicJob(family, task, front, channel, recipe.seed), rows)
    figures: dict[str, object] = {"rows": found.rows, "rows_held_back": found.held}
    figures |= holidays.record
    findings = [Finding("rows of the training part", found.parity, 0.0)]
    return Fitted(found.graph, found.contract, table.channels, table.covariates, findings, figures)
