"""Missing values by deletion. A grid has no holes: what is deleted from a series is missing."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from stream.grid import BoolArray, IntArray
from tidecast.bundle import Positive
from tidecast.errors import DataError
from training.data.cleaning.step import ChannelStep, Cleaned, chosen, within_parts
from training.data.split import Share
from training.data.table import Split, Table
from training.data.waves import Floats


class DeleteSeries(ChannelStep, frozen=True, tag="delete_series"):
    """Series of whose training part more than a share is missing leave the table.

    A slot is missing that lacks any of the chosen channels.
    """

    counted: ClassVar[Literal["values", "slots", "series"]] = "series"
    reshapes: ClassVar[bool] = True
    most_missing: Share = 0.5

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`. Raises DataError when no series is left."""
        history = table.values[:, cut.start : cut.validate, chosen(table, self.channels)]
        missing = np.isnan(history).any(axis=2).mean(axis=1)
        kept = np.flatnonzero(missing <= self.most_missing)
        if not kept.size:
            raise DataError(
                f"delete_series leaves none of {len(table.names)} series: each lacks more than "
                f"{self.most_missing:.0%} of its training part; raise most_missing"
            )
        cleaned = table._replace(
            names=tuple(table.names[row] for row in kept),
            values=table.values[kept],
            labels=None if table.labels is None else table.labels[kept],
            known=None if table.known is None else table.known[kept],
        )
        return Cleaned(cleaned, len(table.names) - len(kept))


class DeleteSlots(ChannelStep, frozen=True, tag="delete_slots"):
    """A slot that lacks one of the chosen channels loses them all.

    So does a run of complete slots shorter than `shortest`, an island between gaps.
    """

    shortest: Positive = 1

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""

        def change(values: Floats) -> Floats:
            complete: BoolArray = ~np.any(np.isnan(values), axis=2)
            kept = complete & (_run_lengths(complete) >= self.shortest)
            return np.where(kept[..., None], values, np.float32(np.nan))

        return self.on_chosen(table, within_parts(cut, change))


def _run_lengths(flags: BoolArray) -> IntArray:
    """The length of the run of equal flags that each slot is in: [series, slots]."""
    begins = np.ones(flags.shape, np.bool_)
    begins[:, 1:] = flags[:, 1:] != flags[:, :-1]
    run = np.cumsum(begins) - 1
    lengths: IntArray = np.bincount(run)[run].reshape(flags.shape)
    return lengths
