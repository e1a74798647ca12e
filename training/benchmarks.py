"""Back-tests of a recipe on files of its own choosing: for scores only, never for weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from tidecast.bundle import Manifest
from tidecast.errors import DataError
from training.data.columns import FileSource
from training.data.files import read_files
from training.data.series_rows import read_rows
from training.data.table import Table
from training.evaluate.case import Case, origins_for, unnamed_table, usual_seasonality


class StreamBenchmark(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="stream"
):
    """Every origin of a file from slot `first` on."""

    name: str
    path: str
    first: Annotated[int, Meta(ge=1)]
    layout: Literal["wide", "long"] = "wide"


class RowsBenchmark(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rows"
):
    """One series a row (an id, then its values), forecast once at its end; `actual` goes on."""

    name: str
    path: str
    actual: str


Benchmark = StreamBenchmark | RowsBenchmark


def load(benchmark: Benchmark, folder: Path, manifest: Manifest, seasonality: int) -> Case:
    """Read a benchmark; its paths start at `folder`. Raises DataError when a file is unfit."""
    if isinstance(benchmark, StreamBenchmark):
        source = FileSource(benchmark.path, benchmark.layout)
        table = read_files(source, folder).table
        return stream_case(benchmark.name, table, benchmark.first, manifest, seasonality)
    actual = read_rows(folder / benchmark.actual).values[:, : manifest.horizon]
    past = read_rows(folder / benchmark.path)
    slots = past.values.shape[1]
    table = unnamed_table(np.concatenate((past.values, actual), axis=1))
    return Case(benchmark.name, table, np.array([slots - 1]), slots, seasonality)


def stream_case(
    name: str, table: Table, first: int, manifest: Manifest, seasonality: int | None
) -> Case:
    """Every origin whose answer is for slots from `first` on, and within the table.

    seasonality: None for the usual one of the table's step. Raises DataError when there is none.
    """
    slots = table.values.shape[1]
    origins = origins_for(range(first, slots), manifest.lead, manifest.horizon)
    if not origins.size or origins[0] < 0:
        raise DataError(
            f"{name} has {slots} slots: with {first} to begin with, none is left that has the "
            f"horizon, {manifest.horizon}, after it; give more history, or another beginning"
        )
    season = seasonality or usual_seasonality(table.step_seconds)
    return Case(name, table, origins, first, season)
