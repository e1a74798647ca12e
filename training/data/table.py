"""Series on one even grid, and their split by time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tidecast.errors import DataError
from training.data.waves import Floats


class Table(NamedTuple):
    """Many series over the same slots of an even grid; NaN = missing.

    names: one a series. values: float32 [series, slots, channels]. channels: their names. first:
    epoch seconds of the first slot. step_seconds: the grid's step. labels: float32 [series, slots]
    of what was measured elsewhere, numbers of classes or a quantity; None where a channel is the
    target. known: float32 [series, slots, covariates] of what is known ahead; covariates: their
    names; static: the names of those that never change within a series.
    """

    names: tuple[str, ...]
    values: Floats
    channels: tuple[str, ...]
    first: int
    step_seconds: int
    labels: Floats | None = None
    known: Floats | None = None
    covariates: tuple[str, ...] = ()
    static: tuple[str, ...] = ()


def part_of(table: Table, slots: range) -> Table:
    """The given slots of a table alone, as views; its grid begins with the first of them."""

    def cut(values: Floats | None) -> Floats | None:
        return None if values is None else values[:, slots.start : slots.stop]

    return table._replace(
        values=table.values[:, slots.start : slots.stop],
        first=table.first + slots.start * table.step_seconds,
        labels=cut(table.labels),
        known=cut(table.known),
    )


class Loaded(NamedTuple):
    """A table and what was found while it was read.

    sha256: names the data. counts: observations read, and values that met another one in their
    slot. irregular: share of the distances between neighbours of one series that are not the step.
    """

    table: Table
    sha256: str
    counts: Mapping[str, int]
    irregular: float


class Split(NamedTuple):
    """Where the parts of a table begin, as slots.

    Train [start, validate), validate [validate, test), test [test, slots). What lies before
    `start` or from `slots` on belongs to no part. scaled_by: errors are measured by the values
    before that slot; None for those before `validate`.
    """

    validate: int
    test: int
    slots: int
    start: int = 0
    scaled_by: int | None = None

    @property
    def training(self) -> range:
        """Slots to learn from."""
        return range(self.start, self.validate)

    @property
    def validation(self) -> range:
        """Slots to choose by."""
        return range(self.validate, self.test)

    @property
    def testing(self) -> range:
        """Slots to judge by, in the end."""
        return range(self.test, self.slots)


def split(table: Table, validate: float, test: float, horizon: int) -> Split:
    """Cut the table by time; `validate` and `test` are shares of its slots.

    Raises DataError when a part would be too short to hold one forecast.
    """
    slots = table.values.shape[1]
    cut = Split(int(slots * (1 - validate - test)), int(slots * (1 - test)), slots)
    check_lengths(cut, horizon, "give more history, a shorter horizon or other shares")
    return cut


def split_rows(table: Table, train: int, validate: int, test: int, horizon: int) -> Split:
    """Cut the table by counts of slots from its first one on, as published protocols do.

    Raises DataError when the table is shorter, or a part too short to hold one forecast.
    """
    cut = Split(train, train + validate, train + validate + test)
    slots = table.values.shape[1]
    if cut.slots > slots:
        raise DataError(
            f"{train} + {validate} + {test} rows are asked for and the data has {slots} slots; "
            "give more history or fewer rows"
        )
    check_lengths(cut, horizon, "give each part more rows, or a shorter horizon")
    return cut


def split_end(table: Table, validate: int, test: int, horizon: int) -> Split:
    """Cut the table by counts of slots from its end, as competitions do.

    Raises DataError when a part would be too short to hold one forecast.
    """
    slots = table.values.shape[1]
    cut = Split(slots - test - validate, slots - test, slots, scaled_by=slots - test)
    check_lengths(cut, horizon, "give more history, or each part more rows")
    return cut


def check_lengths(cut: Split, horizon: int, advice: str) -> None:
    """Raise DataError, ending in the advice, when a part cannot hold one forecast."""
    lengths = (cut.validate - cut.start, cut.test - cut.validate, cut.slots - cut.test)
    if min(lengths) < horizon:
        raise DataError(
            f"{sum(lengths)} slots split into {lengths}, yet each part needs the horizon, "
            f"{horizon}, at least; {advice}"
        )
