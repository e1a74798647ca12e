"""Rows of a file made into numbers; what does not fit is named by file, row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidecast.columns import MISSING, Cell, numbers
from training.data.columns import Columns
from training.data.scan import SourceFile
from training.data.times import Clock
from training.data.waves import Ints


class Batch(NamedTuple):
    """Some rows [n] of a file; first_row: the number of the first, the header not counted."""

    file: SourceFile
    columns: Columns
    first_row: int
    frame: pl.DataFrame

    def cell(self, column: str) -> Cell:
        """Where an error in the column is to point."""
        return Cell(str(self.file.path), column, self.first_row)

    def times(self, clock: Clock) -> Ints:
        """Milliseconds since 1970 [n]."""
        return clock.milliseconds(self.frame[self.columns.time], self.cell(self.columns.time))

    def rows(self, ids: dict[str, int]) -> Ints:
        """Row numbers of the series [n]; those of a long file that are new join `ids`."""
        if self.columns.series is None:
            return np.full(self.frame.height, ids.get(self.file.name, 0))
        texts = self.frame[self.columns.series].cast(pl.String).str.strip_chars().replace("", None)
        if texts.null_count():
            index = texts.is_null().arg_max() or 0
            raise self.cell(self.columns.series).error(index, None, "is empty; name the series")
        for name in texts.unique(maintain_order=True):
            ids.setdefault(name, len(ids))
        return texts.replace_strict(ids, return_dtype=pl.Int64).to_numpy()

    def texts(self, column: str) -> pl.Series:
        """The cells of a column as text [n], null where missing; truth values are 0 and 1."""
        text = _untruth(self.frame[column]).cast(pl.String).str.strip_chars()
        return text.set(text.str.to_lowercase().is_in(list(MISSING)), None)

    def numbers(self, columns: Sequence[str]) -> NDArray[np.float64]:
        """Values [n, columns], NaN = missing; truth values are 0 and 1."""
        read = [numbers(_untruth(self.frame[name]), self.cell(name)) for name in columns]
        return np.stack([column.to_numpy() for column in read], axis=1)

    def with_classes(self, label: str, classes: Mapping[str, int]) -> Batch:
        """The batch with the names of classes, or their numbers as text, made into numbers."""
        column = self.frame[label]
        text = column.cast(pl.String).str.strip_chars()
        known = {f"{number}{end}": number for number in classes.values() for end in ("", ".0")}
        found = text.replace_strict(known | dict(classes), default=None, return_dtype=pl.Float64)
        missing = text.is_null() | text.str.to_lowercase().is_in(list(MISSING))
        unknown = found.is_null() & ~missing
        if unknown.any():
            index = unknown.arg_max() or 0
            advice = f"is none of the classes {', '.join(classes)}"
            raise self.cell(label).error(index, column[index], advice)
        return self._replace(frame=self.frame.with_columns(found.alias(label)))


def _untruth(column: pl.Series) -> pl.Series:
    return column.cast(pl.Int8) if column.dtype == pl.Boolean else column
