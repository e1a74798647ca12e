"""Files of one series a row, without dates, as competitions publish them: M4, for one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl

from tidecast.bundle import Positive
from tidecast.errors import DataError
from tidecast.messages import VALUE_CHANNEL
from training.data.split import End, SplitRule
from training.data.table import Loaded, Table
from training.data.waves import Floats


class RowsSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="source", tag="rows"
):
    """Series one a row: an id, then its values, oldest first, of any lengths; their ends meet.

    path: a CSV file; a relative one starts at the recipe's folder. goes_on: another, of the same
    ids, whose values come after those. Nobody knows when the first slot was: the calendar says
    nothing of such series.
    """

    path: str
    goes_on: str | None = None
    step_seconds: Positive = 3600
    split: SplitRule = End(48, 48)
    licence: str = "unknown"
    """Licence of the data, kept in the manifest."""


class SeriesRows(NamedTuple):
    """names: one a series. values: float32 [series, longest], NaN before a series begins."""

    names: tuple[str, ...]
    values: Floats


def load_rows(source: RowsSource, folder: Path) -> Loaded:
    """Read the series of a source. Raises DataError when a file is unfit, or the ids differ."""
    paths = [folder / path for path in (source.path, source.goes_on) if path is not None]
    first, *rest = [read_rows(path) for path in paths]
    for path, more in zip(paths[1:], rest, strict=True):
        if more.names != first.names:
            raise DataError(f"{path} does not hold the ids of {paths[0]}, in their order")
    values = np.concatenate([part.values for part in (first, *rest)], axis=1)
    table = Table(first.names, values[..., None], (VALUE_CHANNEL,), 0, source.step_seconds)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    counts = {"files": len(paths), "rows": len(first.names)}
    return Loaded(table, digest, counts, 0.0)


def read_rows(path: Path) -> SeriesRows:
    """Read one file. Raises DataError, naming it, when it holds anything but ids and numbers."""
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
        values = frame.drop(frame.columns[0]).cast(pl.Float32).to_numpy()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    aligned = np.full_like(values, np.nan)
    for row, series in enumerate(values):
        known = series[~np.isnan(series)]
        aligned[row, len(series) - len(known) :] = known
    return SeriesRows(tuple(frame[frame.columns[0]].cast(pl.String)), aligned)
