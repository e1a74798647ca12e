"""Columns of times, as files write them, to milliseconds since 1970."""

from __future__ import annotations

from typing import Final

import polars as pl

from tidecast.columns import NAIVE_FORMATS, WHOLE, ZONE, Cell
from training.data.waves import Ints

SECONDS_BELOW: Final = 100_000_000_000
"""Whole numbers below this are seconds (until the year 5138), others milliseconds (from 1973)."""
WANTED: Final = "is no time like 2026-11-20T10:00:00Z, nor whole seconds since 1970"


class Clock:
    """Reads the time columns of one source, which all name a zone, or all none (then UTC)."""

    def __init__(self) -> None:
        self._seen: dict[bool, str] = {}
        """An example of what names a zone (True), and of what names none."""

    def milliseconds(self, column: pl.Series, cell: Cell) -> Ints:
        """The column [n] as int64. Raises DataError at the first cell that is no such time."""
        column = column.alias("time")
        if column.dtype.is_integer():
            times = _whole(column)
        elif column.dtype == pl.String:
            times = self._texts(column.str.strip_chars(), cell)
        elif column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
            self._meet(cell, column, column.is_not_null(), zoned=_has_zone(column.dtype))
            times = column.cast(pl.Datetime("ms")).dt.timestamp("ms")
        else:
            raise cell.error(0, column.first(), f"is no time: the column's type is {column.dtype}")
        if times.null_count():
            index = times.is_null().arg_max() or 0
            raise cell.error(index, column[index], WANTED)
        return times.to_numpy()

    def _texts(self, text: pl.Series, cell: Cell) -> pl.Series:
        whole, zoned = text.str.contains(WHOLE), text.str.contains(ZONE)
        self._meet(cell, text, zoned, zoned=True)
        naive = [pl.col("time").str.to_datetime(style, strict=False) for style in NAIVE_FORMATS]
        date = pl.col("time").str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
        plain = text.to_frame().select(pl.coalesce(*naive, date)).to_series()
        self._meet(cell, text, plain.is_not_null() & ~zoned, zoned=False)
        with_zone = text.str.to_datetime("%+", time_zone="UTC", strict=False)
        times = with_zone.dt.timestamp("ms").zip_with(zoned, plain.dt.timestamp("ms"))
        return _whole(text.cast(pl.Int64, strict=False)).zip_with(whole, times)

    def _meet(self, cell: Cell, column: pl.Series, which: pl.Series, *, zoned: bool) -> None:
        """Note that some cells name a zone, or none; raise when others do the opposite."""
        if not which.any():
            return
        index = which.arg_max() or 0
        other = self._seen.get(not zoned)
        if other is not None:
            says = "names a time zone" if zoned else "names no time zone"
            advice = f"{says}, unlike {other!r}; write all times with a zone, or none of them"
            raise cell.error(index, str(column[index]), advice)
        self._seen.setdefault(zoned, str(column[index]))


def _has_zone(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Datetime) and dtype.time_zone is not None


def _whole(numbers: pl.Series) -> pl.Series:
    """Whole seconds or milliseconds to milliseconds."""
    numbers = numbers.cast(pl.Int64)
    return (numbers * 1000).zip_with(numbers < SECONDS_BELOW, numbers)
