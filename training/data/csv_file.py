"""Reading a CSV file of history, wide or long, onto an even grid."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from tidecast.errors import DataError
from tidecast.messages import VALUE_CHANNEL
from training.data.table import Table, on_grid

LONG_COLUMNS: Final = ("series_id", "timestamp", "value")
LARGEST_GRID: Final = 500_000_000
"""Slots of all series together (2 GB): more is rather a wrong step than a data set."""


def read_csv(path: Path, layout: Literal["wide", "long"], step_seconds: int | None) -> Table:
    """Read a CSV file.

    `wide`: a time column, then one column a series. `long`: series_id, timestamp, value. Times are
    ISO 8601 (UTC where they name no zone) or whole seconds since 1970. Empty fields are missing.
    Raises DataError when the file is not of that form.
    """
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    long = _from_wide(frame, path) if layout == "wide" else _checked_long(frame, path)
    long = long.drop_nulls("timestamp").with_columns(pl.col("value").cast(pl.Float32, strict=False))
    if long.is_empty():
        raise DataError(f"{path} holds no observations")
    names = long["series_id"].unique(maintain_order=True)
    numbers = pl.DataFrame({"series_id": names, "number": np.arange(len(names))})
    rows = long.join(numbers, on="series_id", how="left", maintain_order="left")
    seconds = _seconds(rows["timestamp"], path)
    values, first, step = on_grid(
        rows["number"].to_numpy(), seconds, rows["value"].to_numpy(), step_seconds
    )
    series = tuple(str(name) for name in names)
    return Table(series, values[..., None], (VALUE_CHANNEL,), first, step)


def file_sha256(path: Path) -> str:
    """Hash a file's bytes, as the manifest's data hash."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _from_wide(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Turn one column a series into one row an observation."""
    time, *series = frame.columns
    if not series:
        raise DataError(f"{path}: a wide file has a time column and at least one series")
    return frame.unpivot(series, index=time, variable_name="series_id").rename({time: "timestamp"})


def _checked_long(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Keep the three columns of a long file."""
    lacking = [name for name in LONG_COLUMNS if name not in frame.columns]
    if lacking:
        raise DataError(f"{path}: a long file has {', '.join(LONG_COLUMNS)}; lacks {lacking}")
    return frame.select(LONG_COLUMNS)


def _seconds(times: pl.Series, path: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Read times as int64 epoch seconds."""
    if times.dtype.is_integer():
        return times.cast(pl.Int64).to_numpy()
    try:
        stamps = times.str.to_datetime(time_unit="ms", time_zone="UTC")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: times are not ISO 8601: {error}") from error
    return stamps.dt.epoch("s").to_numpy()
