"""The steps of a recipe in their order, each logged and recorded with its count."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np

from training.data.cleaning.deletion import DeleteSeries, DeleteSlots
from training.data.cleaning.filling import BackwardFill, ForwardFill, LinearFill, SeasonalFill
from training.data.cleaning.imputation import ModelFill
from training.data.cleaning.outliers import Hampel, MovingMedian, OutOfRange
from training.data.cleaning.regrid import Regrid
from training.data.cleaning.step import Cleaned, Step
from training.data.table import Split, Table

AnyStep = (
    OutOfRange
    | Hampel
    | MovingMedian
    | DeleteSeries
    | DeleteSlots
    | LinearFill
    | ForwardFill
    | BackwardFill
    | SeasonalFill
    | ModelFill
    | Regrid
)

_log: Final = logging.getLogger(__name__)


class Cleaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done to the data before a model sees it, in this order.

    How values that share a slot combine is the source's `aggregate`, which is first of all.
    """

    steps: tuple[AnyStep, ...] = ()
    test: bool = False
    """Whether values of the test part are cleaned too. A worker gets them as they come, so a
    back-test does by default; steps that remove series or change the grid always go for all."""


def clean(
    table: Table, cleaning: Cleaning, cut_of: Callable[[Table], Split]
) -> tuple[Table, list[dict[str, Any]]]:
    """Apply every step. → the table, and for the manifest each step with what it changed.

    cut_of: splits a table by time; asked anew for each step, since a step may change the grid.
    Raises DataError when a step does not fit the data.
    """
    records = []
    for step in cleaning.steps:
        table, changed = _apply(step, table, cut_of(table), cleaning.test)
        record = msgspec.to_builtins(step) | {"changed": changed, "counted": step.counted}
        _log.info("cleaning: %s changed %d %s", record["step"], changed, step.counted)
        records.append(record)
    return table, records


def _apply(step: Step, table: Table, cut: Split, test: bool) -> Cleaned:
    if test or step.reshapes:
        return step.apply(table, cut)
    # Steps that do not reshape change nothing but values, so only these are held back.
    seen = table._replace(values=table.values[:, : cut.test])
    cleaned = step.apply(seen, cut._replace(slots=cut.test))
    values = np.concatenate([cleaned.table.values, table.values[:, cut.test :]], axis=1)
    return cleaned._replace(table=table._replace(values=values))
