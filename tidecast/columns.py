"""Columns of a file made into numbers and times; what does not fit is named by row and column."""

from __future__ import annotations

from enum import Enum
from typing import Final

import polars as pl

from tidecast.errors import DataError
from tidecast.observation_checks import LARGEST_FLOAT32

MISSING: Final = ("", "na", "n/a", "nan", "null", "none")
"""Cells that mean "no value", in any case."""
BEYOND: Final = f"is infinite, or beyond what a 32-bit float holds ({LARGEST_FLOAT32:.3g})"
NAIVE_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
)
ZONE: Final = r"(Z|z|[+-]\d\d:?\d\d)$"
WHOLE: Final = r"^-?\d+$"
EARLIEST_MS: Final = 100_000_000_000
"""March 1973. Smaller whole numbers are seconds that somebody took for milliseconds."""


class Cell:
    """Where an error is to point: a column of a file, and the row its first value stands in."""

    def __init__(self, file: str, column: str, first_row: int) -> None:
        self.file = file
        self.column = column
        self.first_row = first_row

    def error(self, index: int, found: object, advice: str) -> DataError:
        """The error for the value at `index` of the column."""
        row = self.first_row + index
        return DataError(f"{self.file}, row {row}, column {self.column!r}: {found!r} {advice}")


def numbers(column: pl.Series, cell: Cell) -> pl.Series:
    """The column as float64, null where missing.

    Raises DataError at the first cell that is no finite 32-bit number.
    """
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        missing = text.is_null() | text.str.to_lowercase().is_in(MISSING)
        result = text.cast(pl.Float64, strict=False)
    elif column.dtype.is_numeric() or column.dtype == pl.Null:
        result = column.cast(pl.Float64)
        missing = result.is_null() | result.is_nan()
    else:
        advice = f"cannot be a value: the column's type is {column.dtype}, not a number"
        raise cell.error(0, column.first(), advice)
    result = result.set(missing, None)
    fits = result.abs() <= LARGEST_FLOAT32
    bad = ~(missing | fits.fill_null(value=False))
    if bad.any():
        index = bad.arg_max() or 0
        advice = "is no number" if result[index] is None else BEYOND
        raise cell.error(index, column[index], f"{advice}; a missing value is an empty cell")
    return result


class Clock(Enum):
    """How a file writes its times."""

    ZONED = "zoned"
    NAIVE = "naive"
    MILLISECONDS = "milliseconds"


def milliseconds(column: pl.Series, cell: Cell, *, assume_utc: bool) -> pl.Series:
    """The column as whole milliseconds since 1970 UTC.

    Raises DataError at the first cell that is no time, and for times without a zone unless
    `assume_utc`.
    """
    if column.null_count():
        raise cell.error(column.is_null().arg_max() or 0, None, "is no time; every row needs one")
    clock = _clock(column, cell)
    if clock is Clock.NAIVE and not assume_utc:
        advice = "has no time zone; pass --assume-utc when the file is in UTC, or add the zone"
        raise cell.error(0, _shown(column, 0), advice)
    times = _parsed(column, clock)
    if times.null_count():
        index = times.is_null().arg_max() or 0
        raise cell.error(index, column[index], "is no time like 2026-11-20T10:00:00Z")
    if clock is Clock.MILLISECONDS and (seconds := times.is_between(1, EARLIEST_MS)).any():
        index = seconds.arg_max() or 0
        raise cell.error(index, column[index], "looks like seconds; whole numbers are milliseconds")
    return times


def _clock(column: pl.Series, cell: Cell) -> Clock:
    dtype = column.dtype
    if dtype.is_integer():
        return Clock.MILLISECONDS
    if isinstance(dtype, pl.Datetime):
        return Clock.ZONED if dtype.time_zone else Clock.NAIVE
    if dtype == pl.Date:
        return Clock.NAIVE
    if dtype != pl.String:
        raise cell.error(0, column.first(), f"is no time: the column's type is {dtype}")
    first = column.head(1).str.strip_chars()
    if first.str.contains(WHOLE).all():
        return Clock.MILLISECONDS
    return Clock.ZONED if first.str.contains(ZONE).all() else Clock.NAIVE


def _parsed(column: pl.Series, clock: Clock) -> pl.Series:
    if column.dtype != pl.String:
        if clock is Clock.MILLISECONDS:
            return column.cast(pl.Int64)
        return column.cast(pl.Datetime("ms")).dt.timestamp("ms")
    text = pl.col(column.name).str.strip_chars()
    match clock:
        case Clock.MILLISECONDS:
            parsed = text.cast(pl.Int64, strict=False)
        case Clock.ZONED:
            parsed = text.str.to_datetime("%+", time_zone="UTC", strict=False).dt.timestamp("ms")
        case Clock.NAIVE:
            times = [text.str.to_datetime(style, strict=False) for style in NAIVE_FORMATS]
            date = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
            parsed = pl.coalesce(*times, date).dt.timestamp("ms")
    return column.to_frame().select(parsed).to_series()


def _shown(column: pl.Series, index: int) -> str:
    return str(column[index])
