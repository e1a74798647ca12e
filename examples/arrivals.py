"""The test part as events that have yet to come: a file for `tidecast publish`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from training.source import History


def write_arrivals(path: Path, history: History, context: int) -> None:
    """Write a long CSV file of the test part and of the windows before it.

    context: slots of the model's window. A model that sees a single slot remembers nothing, so
    each of its records gets a series of its own, and no two can meet in one slot.
    """
    table, cut = history.table, history.cut
    first = max(cut.test - context + 1, 0)
    values = table.values[:, first : cut.slots]
    rows, slots = np.nonzero(~np.isnan(values).all(axis=2))
    names = np.array(table.names)[rows]
    if context == 1:
        names = np.array([f"{name}-{slot}" for name, slot in zip(names, slots, strict=True)])
    times = table.first + (first + slots) * table.step_seconds
    frame = pl.DataFrame({"series_id": names, "timestamp": 1000 * times})
    measured = pl.DataFrame(values[rows, slots], schema=list(table.channels), nan_to_null=True)
    frame.hstack(measured).sort("timestamp", maintain_order=True).write_csv(path)
