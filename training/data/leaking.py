"""Whether an input holds the very thing that is to be told: a target that leaks.

The rule: an input is a copy of the target, so many slots earlier or later, when it agrees with it
in 99 of 100 slots of the training part, and in 99 of 100 of those in which the target has just
changed. The second half is what tells: of a machine that seldom fails, anything that stays at 0
agrees nearly everywhere. Two numbers agree when they are within a hundredth of the series' mean
absolute deviation. A copy in another unit, or with noise, is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from stream.grid import BoolArray
from tidecast.errors import DataError, SettingsError
from training.data.cleaning.filling import carried
from training.data.places import evenly
from training.data.table import Split, Table
from training.data.waves import Floats, Ints

AGREEING: Final = 0.99
NEAR: Final = 0.01
"""In mean absolute deviations of the target, series by series."""
LEAST_CHANGES: Final = 5
"""Fewer changes of the target may meet those of an input by chance."""
LOOKED_AT: Final = 2_000
"""Slots, and as many changes, that are compared, evenly chosen."""
SERIES_LOOKED_AT: Final = 200
"""Of those whose target varies, evenly chosen."""
REACH: Final = 200
"""Slots beyond the last lead by which a channel may run ahead of the target and be found."""


class Asked(NamedTuple):
    """What a model is to tell. values: float32 [series, slots], NaN = not known. leads: how many
    slots after the newest one of a window each answer is, rising.
    """

    name: str
    values: Floats
    leads: Ints


class _Places(NamedTuple):
    """Slots of some series, [N] each, in which the target is known."""

    series: Ints
    slots: Ints


def check_not_told(table: Table, cut: Split, asked: Asked, trusted: Sequence[str] = ()) -> None:
    """Raise DataError, naming the column, when an input other than the target tells the answer.

    A channel does, up to the newest slot, when it runs ahead of the target by the first lead or
    more. What is known ahead does, at the leads, when it is the target at any of them. trusted:
    inputs that may. Raises SettingsError when one of them is not in the table.
    """
    _require(trusted, (*table.channels, *table.covariates))
    history = slice(cut.start, cut.validate)
    rows = _varying(asked.values[:, history])
    target = _Target(asked.values[rows, history])
    for name, values, ahead in _inputs(table, asked):
        if name in trusted:
            continue
        found = target.told_by(values[rows, history], ahead)
        if found is not None:
            raise DataError(
                f"column {name!r} is the target {asked.name!r}{_later(found)}: it would tell the "
                "answer before it is known; leave it out, or name it in data.trusted if it really "
                "is known by then"
            )


class _Target:
    """The target in the training part: [series, slots]."""

    def __init__(self, values: Floats) -> None:
        self._values = values
        known = ~np.isnan(values)
        count = np.maximum(known.sum(1, keepdims=True), 1)
        wide = values.astype(np.float64)
        off = np.abs(wide - wide.sum(1, keepdims=True, where=known) / count)
        self._near = NEAR * off.sum(1, keepdims=True, where=known) / count
        before = carried(values[..., None], values.shape[1])[:, :-1, 0]
        changed = np.zeros_like(known)
        changed[:, 1:] = np.abs(wide[:, 1:] - before) > 2 * self._near
        self._every, self._changes = _chosen(known), _chosen(changed)
        self._repeats = self._shift(values, np.arange(1, REACH + 1)) is not None

    def told_by(self, values: Floats, ahead: range) -> int | None:
        """By how many slots an input [series, slots] runs ahead of the target; None if it does not.

        A target that repeats itself is told by its own past: then only a copy of the same slot is.
        """
        shifts = np.array([shift for shift in ahead if not self._repeats or shift == 0], np.int64)
        return self._shift(values, shifts)

    def _shift(self, values: Floats, shifts: Ints) -> int | None:
        if len(self._changes.slots) < LEAST_CHANGES or not len(shifts):
            return None
        agrees = self._agrees(values, shifts, self._changes)
        agrees &= self._agrees(values, shifts, self._every)
        found = shifts[agrees]
        return int(found[np.abs(found).argmin()]) if len(found) else None

    def _agrees(self, values: Floats, shifts: Ints, places: _Places) -> BoolArray:
        """Whether the input is the target at each of the shifts [K], as far as both are known."""
        series, slots = places.series[:, None], places.slots[:, None]
        read = slots - shifts
        inside = (read >= 0) & (read < values.shape[1])
        told = np.where(inside, values[series, read.clip(0, values.shape[1] - 1)], np.nan)
        off = np.abs(told.astype(np.float64) - self._values[series, slots])
        both = (~np.isnan(off)).sum(0)
        near = (off <= self._near[places.series]).sum(0)
        agreeing: BoolArray = (both >= LEAST_CHANGES) & (near >= AGREEING * both)
        return agreeing


def _inputs(table: Table, asked: Asked) -> Iterator[tuple[str, Floats, range]]:
    """Every input but the target: its values [series, slots], and the shifts that tell."""
    first, last = int(asked.leads[0]), int(asked.leads[-1])
    for number, name in enumerate(table.channels):
        if table.labels is not None or name != asked.name:
            yield name, table.values[..., number], range(first, last + REACH + 1)
    if table.known is not None:
        for number, name in enumerate(table.covariates):
            yield name, table.known[..., number], range(first - last, last - first + 1)


def _varying(target: Floats) -> Ints:
    """Some series whose target [series, slots] is not one number throughout."""
    varies = np.fmax.reduce(target, axis=1) > np.fmin.reduce(target, axis=1)
    found = np.flatnonzero(varies)
    return found[evenly(len(found), SERIES_LOOKED_AT)]


def _chosen(places: BoolArray) -> _Places:
    """Some of the places that are set: [series, slots]."""
    found = np.flatnonzero(places)
    found = found[evenly(len(found), LOOKED_AT)]
    series, slots = np.unravel_index(found, places.shape)
    return _Places(series, slots)


def _later(shift: int) -> str:
    """In words: how far from its own slot the target was found."""
    if shift == 0:
        return " itself"
    slots = "slot" if abs(shift) == 1 else "slots"
    return f" of {abs(shift)} {slots} {'later' if shift > 0 else 'before'}"


def _require(trusted: Sequence[str], inputs: Sequence[str]) -> None:
    for name in trusted:
        if name not in inputs:
            raise SettingsError(
                f"data.trusted names {name!r}, which is no input; there are {', '.join(inputs)}"
            )
