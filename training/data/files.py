"""Files of history to a table on an even grid: one pass for its bounds, one for its numbers.

Only the grid is held, and a batch of rows: files may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from tidecast.columns import MISSING
from tidecast.errors import DataError
from tidecast.messages import VALUE_CHANNEL
from training.data.attributes import Attributes, read_attributes
from training.data.batch import Batch
from training.data.columns import Columns, FileSource, columns_of
from training.data.grid import Grid, Span, commonest_step
from training.data.scan import SourceFile, scan, sha256_of
from training.data.table import Loaded, Table
from training.data.times import Clock
from training.data.waves import Floats, Ints

SAMPLE_ROWS: Final = 1_000_000
"""Rows from whose distances the step is told, where it is not given."""

Part = tuple[SourceFile, Columns]


class Survey(NamedTuple):
    """What the first pass finds. ids: row numbers of the series by name."""

    ids: dict[str, int]
    span: Span
    rows: int
    irregular: float


def read_files(
    source: FileSource, folder: Path, classes: Mapping[str, int] | None = None
) -> Loaded:
    """Read the files of a source; a relative path starts at `folder`.

    classes: numbers of the classes that the label column names; without them it holds numbers.
    Raises DataError, naming file, row and column, for what cannot be used.
    """
    files = scan(source.path, folder)
    parts = [(file, columns_of(source, file)) for file in files]
    channels = (VALUE_CHANNEL,) if source.layout == "wide" else _channels(parts)
    survey = _survey(source, parts)
    values, combined = _values(source, parts, survey)
    _require_values(values, files[0])
    extras = _extras(source, parts, survey, classes or {})
    labelled = source.label is not None
    attributes = _attributes(source, parts, survey)
    table = Table(
        names=tuple(survey.ids),
        values=values,
        channels=channels,
        first=survey.span.first * survey.span.step_seconds,
        step_seconds=survey.span.step_seconds,
        labels=extras[..., 0] if labelled else None,
        known=_known(extras[..., int(labelled) :], attributes),
        covariates=(*source.known, *attributes.names),
        static=attributes.names,
    )
    counts = {"files": len(files), "rows": survey.rows, "combined": combined}
    return Loaded(table, sha256_of(files), counts, survey.irregular)


def _require_values(values: Floats, file: SourceFile) -> None:
    if np.isnan(values).all():
        raise DataError(
            f"{file.path} holds no observations: every value is missing; look whether these are "
            "the right file and columns"
        )


def classes_of(source: FileSource, folder: Path) -> dict[str, int]:
    """Number the names that the label column holds, in order; none where it holds numbers."""
    if source.label is None:
        return {}
    found: set[str] = set()
    for file in scan(source.path, folder):
        columns_of(source, file)
        for _, frame in file.batches([source.label]):
            found |= set(frame[source.label].cast(pl.String).str.strip_chars().drop_nulls())
    names = sorted(name for name in found if name.lower() not in MISSING)
    if pl.Series(names, dtype=pl.String).cast(pl.Float64, strict=False).null_count() == 0:
        return {}
    return {name: number for number, name in enumerate(names)}


def _channels(parts: list[Part]) -> tuple[str, ...]:
    """The channels, which all files must have alike."""
    (first, expected), *others = parts
    for file, columns in others:
        if set(columns.values) != set(expected.values):
            raise DataError(
                f"{file.path} has the channels {', '.join(columns.values)}, {first.path} has "
                f"{', '.join(expected.values)}; name those to read in channels"
            )
    return expected.values


def _survey(source: FileSource, parts: list[Part]) -> Survey:
    """Read the times, and the series of a long file, for the bounds of the grid."""
    ids = _ids(source, parts)
    clock, rows = Clock(), 0
    bounds: list[int] = []
    sampled: list[tuple[Ints, Ints]] = []
    for batch in _batches(parts, Columns.where):
        times, series = batch.times(clock), batch.rows(ids)
        bounds += [int(times.min()), int(times.max())]
        if rows < SAMPLE_ROWS:
            sampled.append((series, times))
        rows += len(times)
    if not rows:
        raise DataError(
            f"{parts[0][0].path} holds no observations: a header and no rows; look "
            "whether this is the right file"
        )
    step, irregular = _step(source, sampled)
    return Survey(ids, Span.of(min(bounds), max(bounds), step), rows, irregular)


def _ids(source: FileSource, parts: list[Part]) -> dict[str, int]:
    """Row numbers where the header or the file's own name says what is a series."""
    match source.layout:
        case "wide":
            names = list(chain.from_iterable(columns.values for _, columns in parts))
        case "channels":
            names = [file.name for file, _ in parts]
        case "long":
            names = []
    return {name: row for row, name in enumerate(dict.fromkeys(names))}


def _step(source: FileSource, sampled: list[tuple[Ints, Ints]]) -> tuple[int, float]:
    """The step of the grid, and the share of distances that differ from the commonest one."""
    series, times = (np.concatenate(column) for column in zip(*sampled, strict=True))
    try:
        step, irregular = commonest_step(series, times)
    except DataError:
        if source.step_seconds is None:
            raise
        return source.step_seconds, 0.0
    return source.step_seconds or step, irregular


def _values(source: FileSource, parts: list[Part], survey: Survey) -> tuple[Floats, int]:
    """The values [series, slots, channels], and how many met another one in their slot."""
    wide, names = source.layout == "wide", parts[0][1].values
    channels = 1 if wide else len(names)
    grid = Grid(len(survey.ids), survey.span, [source.aggregate] * channels)
    clock = Clock()
    for batch in _batches(parts, lambda columns: [*columns.where(), *columns.values]):
        times = batch.times(clock)
        if wide:
            series = np.array([survey.ids[name] for name in batch.columns.values])
            each = np.repeat(times, len(series)), batch.numbers(batch.columns.values)
            grid.add(np.tile(series, len(times)), each[0], each[1].reshape(-1, 1))
        else:
            grid.add(batch.rows(survey.ids), times, batch.numbers(names))
    return grid.finish()


def _extras(
    source: FileSource, parts: list[Part], survey: Survey, classes: Mapping[str, int]
) -> Floats:
    """The label, then what is known ahead: [series, slots, extras]."""
    names = parts[0][1].extras
    wide = source.layout == "wide"
    grid = Grid(1 if wide else len(survey.ids), survey.span, ["last"] * len(names))
    clock = Clock()
    for batch in _batches(parts, lambda columns: [*columns.where(), *names]) if names else ():
        if source.label and classes:
            batch = batch.with_classes(source.label, classes)
        # What accompanies a wide file is the same for all its series.
        rows = np.zeros(batch.frame.height, np.int64) if wide else batch.rows(survey.ids)
        grid.add(rows, batch.times(clock), batch.numbers(names))
    extras, _ = grid.finish()
    return np.repeat(extras, len(survey.ids), axis=0) if wide else extras


def _attributes(source: FileSource, parts: list[Part], survey: Survey) -> Attributes:
    if not source.static:
        return Attributes((), np.zeros((len(survey.ids), 0), np.float32))
    batches = _batches(parts, lambda columns: [*columns.where(), *columns.static])
    return read_attributes(source.static, batches, survey.ids)


def _known(known: Floats, attributes: Attributes) -> Floats | None:
    """What is known ahead [series, slots, n] with the attributes after it; None without either."""
    series, slots, _ = known.shape
    if not attributes.names:
        return known if known.shape[2] else None
    every = np.broadcast_to(attributes.values[:, None], (series, slots, len(attributes.names)))
    return np.concatenate((known, every), axis=2)


def _batches(parts: list[Part], wanted: Callable[[Columns], list[str]]) -> Iterator[Batch]:
    """The rows of all files, in batches of the wanted columns."""
    for file, columns in parts:
        for first_row, frame in file.batches(wanted(columns)):
            yield Batch(file, columns, first_row, frame)
