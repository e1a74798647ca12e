"""Which columns of a file are what."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from tidecast.bundle import Positive
from tidecast.errors import DataError
from tidecast.files import SERIES, TIME_NAMES
from training.data.grid import Combine
from training.data.scan import SourceFile
from training.data.split import Shares, SplitRule

Layout = Literal["wide", "long", "channels"]

_log: Final = logging.getLogger(__name__)


class FileSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="source", tag="file"
):
    """Series of CSV or Parquet files, on an even grid, split by time.

    path: a file, a folder (all files below it) or a glob; a relative one starts at the recipe's
    folder. layout: `wide`: a time column, then one column a series, of one channel. `long`:
    series_id, timestamp, then one column a channel. `channels`: a time column, then one column a
    channel; each file is one series, named as the file. Times are ISO 8601 (UTC where they name no
    zone) or whole seconds or milliseconds since 1970, in any order, with any gaps.
    """

    path: str
    layout: Layout = "wide"
    time: str | None = None
    """The time column; without it the one called timestamp, time, datetime, date or ts."""
    channels: tuple[str, ...] = ()
    """In a wide file the series to read. Without it: every column of numbers that is left over."""
    label: str | None = None
    """A column measured elsewhere: names of classes, or numbers."""
    known: tuple[str, ...] = ()
    """Columns known ahead, such as a calendar's or a plan's; in a wide file for all series."""
    step_seconds: Positive | None = None
    """The grid's step; without it, the commonest distance between two rows of a series."""
    aggregate: Combine = "last"
    """How values that fall into one slot combine."""
    static: tuple[str, ...] = ()
    """Columns that never change within a series: numbers, or names, which become a covariate each,
    called `column=name`. So written, one name alone is read."""
    trusted: tuple[str, ...] = ()
    """Columns that may hold the target's own values, which is an error otherwise: those that are
    known by then all the same, such as a plan that is always kept."""
    split: SplitRule = Shares()
    licence: str = "unknown"
    """Licence of the data, kept in the manifest."""

    def __post_init__(self) -> None:
        """Raise ValueError when one column is to be two things."""
        named = [*self.channels, *self.known, *self.static, *([self.label] if self.label else [])]
        named += [self.time] if self.time else []
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(
                f"column {twice[0]!r} is named twice; a column is either a channel, the label, "
                "known ahead, static or the time (a label that is also an input would tell the "
                "answer)"
            )
        if self.label and self.layout == "wide":
            raise ValueError("a wide file has no label; use layout = 'channels' or 'long'")
        if self.static and self.layout == "wide":
            raise ValueError(
                "a wide file has no static attributes of a series; use layout = 'channels' or "
                "'long'"
            )


class Columns(NamedTuple):
    """The columns of one file. extras: the label, if any, then what is known ahead. static: those
    that hold attributes.
    """

    time: str
    series: str | None
    values: tuple[str, ...]
    extras: tuple[str, ...]
    static: tuple[str, ...] = ()

    def where(self) -> list[str]:
        """The columns that say where on the grid a row belongs."""
        return [self.time, *([self.series] if self.series else [])]


def columns_of(source: FileSource, file: SourceFile) -> Columns:
    """Find the columns that the source asks for.

    Raises DataError, naming what the file has, when one is not there.
    """
    time = source.time or _time_column(file)
    series = SERIES if source.layout == "long" else None
    extras = ((source.label,) if source.label else ()) + source.known
    static = _static(source, file)
    wanted = [time, *([series] if series else []), *extras, *static, *source.channels]
    lacking = [name for name in wanted if name not in file.columns]
    if lacking:
        raise DataError(
            f"{file.path} has no column {lacking[0]!r}; it has {', '.join(file.columns[:20])}"
        )
    values = source.channels or _left_over(source, file, wanted)
    if not values:
        raise DataError(
            f"{file.path} has no column of numbers besides {', '.join(wanted)}; a "
            f"{source.layout} file needs at least one"
        )
    return Columns(time, series, values, extras, static)


def _static(source: FileSource, file: SourceFile) -> tuple[str, ...]:
    """The columns that hold the attributes: `region` for `region=north`, unless it is a column."""
    columns = [
        name if name in file.columns or "=" not in name else name.rpartition("=")[0]
        for name in source.static
    ]
    return tuple(dict.fromkeys(columns))


def _time_column(file: SourceFile) -> str:
    """The column by one of the usual names: a guess from the numbers could be any column."""
    for name in file.columns:
        if name.lower() in TIME_NAMES:
            return name
    raise DataError(
        f"{file.path} has no time column: none of {', '.join(file.columns[:20])} is called "
        f"{' or '.join(TIME_NAMES)}; name it with the option time"
    )


def _left_over(source: FileSource, file: SourceFile, taken: Sequence[str]) -> tuple[str, ...]:
    """The columns that become channels when none are named."""
    left = tuple(name for name in file.columns if name not in taken)
    if source.layout == "wide":
        return left  # a series that is missing altogether shows no numbers, and is one still
    numeric = file.numeric()
    text = [name for name in left if name not in numeric]
    if text:
        _log.info("%s: columns without numbers are left out: %s", file.path, ", ".join(text))
    return tuple(name for name in left if name in numeric)
