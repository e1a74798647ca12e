"""Files of observations, CSV or Parquet, read into one table ordered by time.

wide   a time column, then a column per series
long   series_id, timestamp, then a column per channel (usually one, `value`)
       series_id, timestamp, channel, value

The text is read in slices and never held whole; the numbers take 8 bytes a cell. The whole file is
checked before its first observation leaves. Rows count from 1, the header not included.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from tidecast.columns import Cell, milliseconds, numbers
from tidecast.errors import DataError
from tidecast.messages import SERIES_ID_BYTES, VALUE_CHANNEL

SLICE_ROWS: Final = 50_000
SERIES: Final = "series_id"
TIME: Final = "timestamp"
CHANNEL: Final = "channel"
VALUE: Final = "value"
TIME_NAMES: Final = ("timestamp", "time", "datetime", "date", "ts")

Format = Literal["csv", "parquet"]
Layout = Literal["wide", "long"]


class FileOptions(msgspec.Struct, frozen=True):
    """How to read a file. Format and layout are found out when not given."""

    format: Format | None = None
    layout: Layout | None = None
    assume_utc: bool = False
    """Times without a zone are UTC; otherwise they are an error."""
    prefix: str = ""
    """Put before every series id."""
    channel: str = VALUE_CHANNEL
    """The channel that the values of a wide file are of."""


class ObservationTable:
    """Observations ordered by time.

    frame: `timestamp` in milliseconds since 1970, then, in a wide table, a column per series, in
    the order of `series`; in a long one `series_id` as an index into `series`, then a column per
    channel.
    """

    def __init__(
        self, frame: pl.DataFrame, series: list[str], channels: list[str], layout: Layout
    ) -> None:
        self.series = series
        self.channels = channels
        self.times = frame[TIME]
        self.events = frame.height * (len(series) if layout == "wide" else 1)
        self._frame = frame
        self._layout = layout

    def events_of(self, start: int, stop: int) -> pl.DataFrame:
        """The observations of the rows [start, stop): `series_id`, `timestamp`, the channels."""
        rows = self._frame.slice(start, stop - start)
        if self._layout == "long":
            return rows
        height, width = rows.height, len(self.series)
        values = rows.drop(TIME).to_numpy(order="c").reshape(-1)
        index = pl.arange(height * width, eager=True)
        return pl.DataFrame(
            {
                SERIES: (index % width).cast(pl.UInt32),
                TIME: rows[TIME].gather(index // width),
                self.channels[0]: pl.Series(values, nan_to_null=True),
            }
        )


def read_observations(path: Path, options: FileOptions | None = None) -> ObservationTable:
    """Read and check a whole file.

    Raises DataError, naming row and column, for what is no observation.
    """
    options = options or FileOptions()
    try:
        frame, columns = _scan(path, options.format or _format_of(path))
        layout = options.layout or ("long" if SERIES in columns else "wide")
        read = _read_wide if layout == "wide" else _read_long
        return read(path, frame, columns, options)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (PolarsError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"cannot read {path}: {reason}") from error


def _format_of(path: Path) -> Format:
    with path.open("rb") as file:
        return "parquet" if file.read(4) == b"PAR1" else "csv"


def _scan(path: Path, form: Format) -> tuple[pl.LazyFrame, list[str]]:
    """The file, lazily, and the names of its columns."""
    if form == "parquet":
        frame = pl.scan_parquet(path)
        return frame, frame.collect_schema().names()
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline()
    separator = max(",;\t", key=line.count)
    columns = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    if len(columns) < 2:
        raise DataError(f"{path} has no header like timestamp,series_1,series_2 in its first line")
    for name in columns:
        if not name or columns.count(name) > 1:
            raise DataError(f"{path}: the column name {name!r} is empty or occurs twice")
    # Every cell as text: the library's own guess of types fails without naming the cell.
    frame = pl.scan_csv(
        path, infer_schema=False, separator=separator, new_columns=columns, glob=False
    )
    return frame, columns


def _slices(frame: pl.LazyFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Slices of the file, each with the number of its first row."""
    row = 1
    for rows in frame.collect_batches(chunk_size=SLICE_ROWS, maintain_order=True):
        if rows.height:
            yield row, rows
        row += rows.height


def _time_column(path: Path, columns: list[str]) -> str:
    for name in columns:
        if name.lower() in TIME_NAMES:
            return name
    raise DataError(f"{path} has no time column; call one of {columns[:5]}… {TIME}")


def _read_wide(
    path: Path, frame: pl.LazyFrame, columns: list[str], options: FileOptions
) -> ObservationTable:
    time = _time_column(path, columns)
    names = [name for name in columns if name != time]
    if not names:
        raise DataError(f"{path} has no column besides {time!r}; give each series one")
    slices = [
        _typed(path, first_row, rows, time, names, options) for first_row, rows in _slices(frame)
    ]
    series = [_series_id(path, options.prefix + name) for name in names]
    return ObservationTable(_ordered(path, slices), series, [options.channel], "wide")


def _read_long(
    path: Path, frame: pl.LazyFrame, columns: list[str], options: FileOptions
) -> ObservationTable:
    time = _time_column(path, columns)
    names = [name for name in columns if name not in (time, SERIES, CHANNEL)]
    if SERIES not in columns or not names:
        raise DataError(f"{path} is no long file: it needs {SERIES}, {TIME} and {VALUE}")
    if CHANNEL in columns and names != [VALUE]:
        raise DataError(f"{path} has a column {CHANNEL!r}, so it needs one column {VALUE!r}")
    labels = [name for name in (SERIES, CHANNEL) if name in columns]
    slices = []
    for first_row, rows in _slices(frame):
        texts = [_labels(path, first_row, rows, name) for name in labels]
        typed = _typed(path, first_row, rows, time, names, options)
        slices.append(typed.select(TIME, *texts, *names))
    whole = _ordered(path, slices)
    if CHANNEL in columns:
        whole = _channels_as_columns(path, whole)
    found = whole[SERIES].unique(maintain_order=True).to_list()
    index = whole[SERIES].cast(pl.Enum(found)).to_physical().cast(pl.UInt32)
    series = [_series_id(path, options.prefix + name) for name in found]
    channels = [name for name in whole.columns if name not in (TIME, SERIES)]
    return ObservationTable(whole.with_columns(index.alias(SERIES)), series, channels, "long")


def _typed(
    path: Path,
    first_row: int,
    rows: pl.DataFrame,
    time: str,
    names: list[str],
    options: FileOptions,
) -> pl.DataFrame:
    times = milliseconds(
        rows[time], Cell(path.name, time, first_row), assume_utc=options.assume_utc
    )
    values = [numbers(rows[name], Cell(path.name, name, first_row)).alias(name) for name in names]
    return pl.DataFrame([times.alias(TIME), *values])


def _labels(path: Path, first_row: int, rows: pl.DataFrame, name: str) -> pl.Series:
    texts = rows[name].cast(pl.String).str.strip_chars().replace("", None)
    if texts.null_count():
        cell = Cell(path.name, name, first_row)
        raise cell.error(texts.is_null().arg_max() or 0, None, "is empty; every row needs one")
    return texts.alias(name)


def _ordered(path: Path, slices: list[pl.DataFrame]) -> pl.DataFrame:
    if not slices:
        raise DataError(f"{path} has a header and no rows")
    whole = pl.concat(slices, rechunk=True)
    if whole[TIME].is_sorted():
        return whole
    return whole.sort(TIME, maintain_order=True)


def _channels_as_columns(path: Path, whole: pl.DataFrame) -> pl.DataFrame:
    """A row per observation: the channels of one series and time side by side."""
    twice = whole.select(pl.struct(SERIES, TIME, CHANNEL).is_duplicated().arg_true())
    if twice.height:
        row = whole.row(twice.item(0, 0), named=True)
        raise DataError(
            f"{path}: {row[SERIES]!r} has channel {row[CHANNEL]!r} twice at {row[TIME]} ms; "
            "keep one of the rows"
        )
    return whole.pivot(on=CHANNEL, index=[TIME, SERIES], values=VALUE).sort(
        TIME, maintain_order=True
    )


def _series_id(path: Path, series_id: str) -> str:
    if len(series_id.encode()) > SERIES_ID_BYTES:
        raise DataError(f"{path}: series id {series_id[:40]!r}… is over {SERIES_ID_BYTES} bytes")
    return series_id
