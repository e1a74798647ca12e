"""The history before the test part: all that a method may see."""

from __future__ import annotations

from tidecast.bundle import Manifest
from training.benchmarks import stream_case
from training.data.table import Table
from training.evaluate.case import Case


def past_of(case: Case, manifest: Manifest) -> Case:
    """Every origin before the test part, on a table that has no slot of the test part.

    Raises DataError when the history is too short for one.
    """
    begin = manifest.lead + min(manifest.context, case.history // 2)
    table = until(case.table, case.history)
    return stream_case(f"{case.name}, history", table, begin, manifest, case.seasonality)


def until(table: Table, slot: int) -> Table:
    """The slots before `slot` alone."""
    return table._replace(
        values=table.values[:, :slot],
        labels=None if table.labels is None else table.labels[:, :slot],
        known=None if table.known is None else table.known[:, :slot],
    )
