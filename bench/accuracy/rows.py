"""Results of accuracy, one for each seed, and their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Final

import msgspec
from rich.table import Table

from bench.machine import conditions

MEASURES: Final = ("mse", "mae", "owa")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One fit. mse, mae: of standardised values. coverage: of the band of 80 %."""

    data: str
    horizon: int
    model: str
    seed: int
    mse: float | None
    mae: float | None
    owa: float | None
    coverage: float
    minutes: float


def table_of(rows: Sequence[Row], bars: Mapping[str, Mapping[str, float | None]]) -> Table:
    """A line for each model, medians over its seeds; beside each measure what it may be at most."""
    table = Table()
    heads = ("data", "horizon", "model", "seeds", "MSE", "MAE", "OWA", "coverage", "minutes")
    for head in heads:
        table.add_column(head, justify="left" if head in ("data", "model") else "right")
    for model in dict.fromkeys(row.model for row in rows):
        of_model = [row for row in rows if row.model == model]
        measured = [_cell(of_model, name, bars[model][name]) for name in MEASURES]
        coverage = median(row.coverage for row in of_model)
        minutes = max(row.minutes for row in of_model)
        first = of_model[0]
        cells = (first.data, str(first.horizon), model, str(len(of_model)), *measured)
        table.add_row(*cells, f"{coverage:.3f}", f"{minutes:.1f}")
    return table


def _cell(rows: Sequence[Row], name: str, bar: float | None) -> str:
    values = [value for row in rows if (value := getattr(row, name)) is not None]
    if not values:
        return ""
    return f"{median(values):.3f}" + ("" if bar is None else f" (at most {bar:.3f})")


def as_json(rows: Sequence[Row]) -> bytes:
    """One line: `rows`, one for each seed, and where they were fitted."""
    found = {"bench": "accuracy", "rows": msgspec.to_builtins(rows), **asdict(conditions())}
    return msgspec.json.encode(found)
