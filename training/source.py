"""A recipe's data: batches to learn from, a test part, and what the manifest says of them."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from training.batches import Batches, SyntheticBatches, TableBatches
from training.config import Recipe, SyntheticSource
from training.data.bar import reading_shown
from training.data.checks import check
from training.data.cleaning.pipeline import clean
from training.data.columns import FileSource
from training.data.files import read_files
from training.data.synthetic import draw
from training.data.topic import KafkaSource, read_topic
from training.evaluate.case import Case, unnamed_table

TEST_SERIES: Final = 512
TEST_SLOTS: Final = 600
TEST_HISTORY: Final = 240


class Source(NamedTuple):
    """`sha256` is that of the files or records, or of the synthetic validation series' bytes."""

    batches: Batches
    test: Case
    sha256: str
    licence: str
    step_seconds: int | None
    read: dict[str, Any]
    """What reading and cleaning found and changed, for the manifest."""


def open_source(recipe: Recipe, folder: Path) -> Source:
    """Open a recipe's data; relative paths start at `folder`. Raises DataError."""
    if isinstance(recipe.data, SyntheticSource):
        return _synthetic(recipe, recipe.data)
    return _history(recipe, recipe.data, folder)


def _synthetic(recipe: Recipe, data: SyntheticSource) -> Source:
    batches = SyntheticBatches(data.mixture, recipe.fit, recipe.seed)
    values = draw(data.mixture, (recipe.seed, 2), TEST_SERIES, TEST_SLOTS)
    # Eleven slots apart, origins meet every phase of a day.
    origins = np.arange(TEST_HISTORY, TEST_SLOTS - recipe.task.horizon, 11)
    return Source(
        batches,
        Case(
            "synthetic, unseen series",
            unnamed_table(values),
            origins,
            TEST_HISTORY,
            recipe.seasonality,
        ),
        hashlib.sha256(batches.validation.values.numpy().tobytes()).hexdigest(),
        "synthetic series, no licence needed",
        None,
        {},
    )


def _history(recipe: Recipe, data: FileSource | KafkaSource, folder: Path) -> Source:
    if isinstance(data, FileSource):
        loaded = read_files(data, folder)
    else:
        with reading_shown() as tell:
            loaded = read_topic(data, folder, tell)
    cut_of = partial(data.split.cut, horizon=recipe.task.horizon)
    table, cleaned = clean(loaded.table, recipe.clean, cut_of)
    cut = cut_of(table)
    check(table, cut)
    origins = np.arange(cut.test - 1, cut.slots - recipe.task.horizon)
    return Source(
        TableBatches(table, cut, recipe.fit, recipe.seed),
        Case("test part", table, origins, cut.validate, recipe.seasonality),
        loaded.sha256,
        data.licence,
        table.step_seconds,
        {"counts": dict(loaded.counts), "cleaned": cleaned},
    )
