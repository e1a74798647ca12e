"""What every step of cleaning is, and what several share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple, Protocol

import msgspec
import numpy as np

from tidecast.errors import DataError
from training.data.table import Split, Table
from training.data.waves import Floats

Change = Callable[[Floats], Floats]
"""Values [series, slots, channels] to values of the same shape."""


class Cleaned(NamedTuple):
    """A table after one step, and how many values, slots or series the step changed."""

    table: Table
    changed: int


class Step(Protocol):
    """One step. `counted`: what its count counts. `reshapes`: other slots or series come out."""

    counted: ClassVar[Literal["values", "slots", "series"]]
    reshapes: ClassVar[bool]

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """The table after the step.

        No value from `cut.validate` on has a part in what lies before it, and none from `cut.test`
        on: a step that looks ahead works within the parts.
        """


class ChannelStep(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="step"
):
    """The base of the steps that change values of some channels, and nothing else."""

    counted: ClassVar[Literal["values", "slots", "series"]] = "values"
    reshapes: ClassVar[bool] = False
    channels: tuple[str, ...] = ()
    """The channels to clean; without it, all."""

    def on_chosen(self, table: Table, change: Change) -> Cleaned:
        """Change the chosen channels. Raises DataError for a channel that is not there."""
        numbers = chosen(table, self.channels)
        before = table.values[:, :, numbers]
        after = change(before)
        differ = (after != before) & ~(np.isnan(after) & np.isnan(before))
        values = table.values.copy()
        values[:, :, numbers] = after
        return Cleaned(table._replace(values=values), int(np.count_nonzero(differ)))


def chosen(table: Table, channels: Sequence[str]) -> list[int]:
    """The numbers of the named channels, of all when none is named."""
    unknown = [name for name in channels if name not in table.channels]
    if unknown:
        raise DataError(
            f"cleaning names the channel {unknown[0]!r}; the data has {', '.join(table.channels)}"
        )
    numbers = range(len(table.channels))
    return [number for number in numbers if not channels or table.channels[number] in channels]


def within_parts(cut: Split, change: Change) -> Change:
    """The change made to each part of a split by itself, and to what belongs to none."""

    def apply(values: Floats) -> Floats:
        bounds = [cut.start, cut.validate, cut.test, cut.slots]
        parts = np.split(values, bounds, axis=1)
        return np.concatenate([change(part) if part.size else part for part in parts], axis=1)

    return apply
