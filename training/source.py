"""A recipe's data: a history that is split by time, or series drawn without end."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from training.batches import Batches, SyntheticBatches, TableBatches
from training.config import Recipe, SyntheticSource
from training.data.bar import counted
from training.data.checks import check
from training.data.cleaning.pipeline import clean
from training.data.columns import FileSource
from training.data.files import read_files
from training.data.leaking import Asked, check_not_told
from training.data.places import evenly
from training.data.series_rows import RowsSource, load_rows
from training.data.synthetic import Mixture, draw
from training.data.table import Split, Table, part_of
from training.data.topic import KafkaSource, read_topic
from training.evaluate.case import Case, origins_for, unnamed_table
from training.tasks.classification import ClassificationTask
from training.tasks.task import horizon_of, lead_of, leads_of, targets_of

TEST_SERIES: Final = 512
TEST_SLOTS: Final = 600
TEST_HISTORY: Final = 240
TEST_EVERY: Final = 11
"""Eleven slots apart, origins meet every phase of a day."""


class Provenance(NamedTuple):
    """What a manifest says of its data.

    sha256: of the files or records, or of the synthetic test series' bytes. step_seconds: None for
    series of any step. read: what reading and cleaning found and changed.
    """

    sha256: str
    licence: str
    step_seconds: int | None
    read: dict[str, Any]


class History(NamedTuple):
    """What was measured, cleaned, and where its parts begin."""

    table: Table
    cut: Split
    provenance: Provenance

    def batches(self, recipe: Recipe) -> Batches:
        """Pieces of the training part, for a streaming family."""
        targets = targets_of(recipe.task, self.table)[..., None]
        alone = self.table._replace(values=targets, channels=(recipe.task.target,))
        return TableBatches(alone, self.cut, recipe.fit, recipe.seed)

    def test(self, recipe: Recipe) -> Case:
        """Every origin of the test part."""
        return self.case("test part", recipe, self.cut.testing)

    def validation(self, recipe: Recipe, most: int) -> Case:
        """At most so many origins of the validation part, spread evenly; its table ends with it."""
        case = self.case("validation part", recipe, self.cut.validation)
        table = part_of(self.table, range(self.cut.test))
        return case._replace(table=table, origins=case.origins[evenly(len(case.origins), most)])

    def case(self, name: str, recipe: Recipe, slots: range) -> Case:
        """Every origin whose answer is for these slots and no others."""
        origins = origins_for(slots, lead_of(recipe.task), horizon_of(recipe.task))
        before = self.cut.scaled_by or self.cut.validate
        return Case(name, self.table, origins, before, recipe.seasonality)


class Endless(NamedTuple):
    """Series drawn from a mixture, each step others."""

    mixture: Mixture
    provenance: Provenance
    drawn: Table
    """For the test: no step of a fit ever sees them."""

    def batches(self, recipe: Recipe) -> Batches:
        """Fresh pieces at every step, for a streaming family."""
        return SyntheticBatches(self.mixture, recipe.fit, recipe.seed)

    def test(self, recipe: Recipe) -> Case:
        """Unseen series, at every phase of a day."""
        origins = np.arange(TEST_HISTORY, TEST_SLOTS - horizon_of(recipe.task), TEST_EVERY)
        name = "synthetic, unseen series"
        return Case(name, self.drawn, origins, TEST_HISTORY, recipe.seasonality)


Source = History | Endless


def open_source(recipe: Recipe, folder: Path) -> Source:
    """Open a recipe's data; relative paths start at `folder`. Raises DataError."""
    if isinstance(recipe.data, SyntheticSource):
        return _drawn(recipe, recipe.data)
    return _measured(recipe, recipe.data, folder)


def _drawn(recipe: Recipe, data: SyntheticSource) -> Endless:
    values = draw(data.mixture, (recipe.seed, 2), TEST_SERIES, TEST_SLOTS)
    sha256 = hashlib.sha256(values.tobytes()).hexdigest()
    provenance = Provenance(sha256, "synthetic series, no licence needed", None, {})
    return Endless(data.mixture, provenance, unnamed_table(values))


def _measured(recipe: Recipe, data: FileSource | RowsSource | KafkaSource, folder: Path) -> History:
    if isinstance(data, FileSource):
        classes = recipe.task.classes if isinstance(recipe.task, ClassificationTask) else ()
        numbers = {name: number for number, name in enumerate(classes)}
        loaded = read_files(data, folder, numbers)
    elif isinstance(data, RowsSource):
        loaded = load_rows(data, folder)
    else:
        with counted("reading") as tell:
            loaded = read_topic(data, folder, tell)
    cut_of = partial(data.split.cut, horizon=int(leads_of(recipe.task)[-1]))
    table, cleaned = clean(loaded.table, recipe.clean, cut_of)
    cut = cut_of(table)
    check(table, cut)
    if isinstance(data, FileSource):
        asked = Asked(recipe.task.target, targets_of(recipe.task, table), leads_of(recipe.task))
        check_not_told(table, cut, asked, data.trusted)
    read = {"counts": dict(loaded.counts), "cleaned": cleaned}
    return History(table, cut, Provenance(loaded.sha256, data.licence, table.step_seconds, read))
