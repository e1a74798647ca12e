"""Static attributes: what never changes of a series, such as its region or its capacity.

They are covariates known ahead that are the same at every slot. A column of numbers is one; of a
column of names, each name is one, called `column=name`, 1 for the series that have it and else 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from tidecast.errors import DataError
from training.data.batch import Batch
from training.data.waves import Floats, Ints

MOST_NAMES: Final = 50
"""Of one column: more is rather an id, which says nothing of a series that is new."""

Texts = Mapping[int, str]
"""What a column holds for each series, by its row in the table."""


class Attributes(NamedTuple):
    """values: float32 [series, attributes], NaN where a series has none."""

    names: tuple[str, ...]
    values: Floats


def read_attributes(
    wanted: Sequence[str], batches: Iterable[Batch], ids: dict[str, int]
) -> Attributes:
    """Read the wanted attributes: columns, or one name of a column as `column=name`.

    Raises DataError, naming file, row and column, where one changes within a series.
    """
    found: dict[str, dict[int, str]] = {}
    for batch in batches:
        rows = batch.rows(ids)
        for column in batch.columns.static:
            _gather(batch, column, rows, found.setdefault(column, {}))
    columns: dict[str, Floats] = {}
    for entry in wanted:
        columns |= _covariates(entry, found, len(ids))
    return Attributes(tuple(columns), np.stack(list(columns.values()), axis=1))


def _gather(batch: Batch, column: str, rows: Ints, held: dict[int, str]) -> None:
    """Add what a batch holds of a column. rows: [n] of the series."""
    cells = pl.DataFrame({"row": rows, "text": batch.texts(column)}).with_row_index()
    firsts = cells.drop_nulls().unique(["row", "text"], keep="first", maintain_order=True)
    for index, row, text in firsts.iter_rows():
        if not _same(held.setdefault(row, text), text):
            raise batch.cell(column).error(
                index,
                text,
                f"was {held[row]!r} before, in the same series; a static attribute never changes: "
                "correct it, or name the column in known",
            )


def _same(one: str, other: str) -> bool:
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


def _covariates(entry: str, found: Mapping[str, Texts], series: int) -> dict[str, Floats]:
    """One column, or one for each name: [series] each."""
    if entry not in found:
        column, _, name = entry.rpartition("=")
        return {entry: _is(name, found[column], series)}
    texts = found[entry]
    numbers = pl.Series(texts.values(), dtype=pl.String).cast(pl.Float32, strict=False)
    if numbers.is_finite().fill_null(value=False).all():
        values = np.full(series, np.nan, np.float32)
        values[list(texts)] = numbers.to_numpy()
        return {entry: values}
    names = sorted(set(texts.values()))
    if len(names) > MOST_NAMES:
        raise DataError(
            f"the static attribute {entry!r} has {len(names)} names, at most {MOST_NAMES} become "
            "covariates; leave it out, or put the names into groups"
        )
    return {f"{entry}={name}": _is(name, texts, series) for name in names}


def _is(name: str, texts: Texts, series: int) -> Floats:
    """1 where a series has that name, 0 where another, NaN where none: [series]."""
    values = np.full(series, np.nan, np.float32)
    values[list(texts)] = [text == name for text in texts.values()]
    return values
