"""Folds for cross-validation: each a `Split` of what lies before the test part.

A fold's own test part is empty, so that nothing chosen by folds has seen the table's. Sources: the
rolling origin of Tashman, International Journal of Forecasting 16 (2000); blocked folds of
Bergmeir & Benítez, Information Sciences 191 (2012), each here with its validation part last.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from tidecast.bundle import Positive
from tidecast.errors import DataError
from training.data.split import Share
from training.data.table import Split

Count = Annotated[int, Meta(ge=2)]


class RollingFolds(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rolling"
):
    """The origin rolls on: each fold validates on the slots after those of the one before.

    The last one ends where the test part begins.
    """

    validate_slots: Positive
    folds: Count = 3
    train_slots: Positive | None = None
    """How many slots each fold trains on; without it, all from the beginning."""

    def folds_of(self, cut: Split, horizon: int) -> list[Split]:
        """The folds, oldest first. Raises DataError when a part cannot hold one forecast."""
        found = []
        for turn in range(self.folds, 0, -1):
            validate = cut.test - turn * self.validate_slots
            start = cut.start
            if self.train_slots is not None and validate - self.train_slots > start:
                start = validate - self.train_slots
            found.append(_fold(start, validate, validate + self.validate_slots, horizon))
        return found


class BlockedFolds(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="blocked"
):
    """Blocks of equal length that share no slot; each trains on its head, validates on its tail."""

    folds: Count = 3
    validate: Share = 0.2
    """Share of a block."""

    def folds_of(self, cut: Split, horizon: int) -> list[Split]:
        """The folds, oldest first. Raises DataError when a part cannot hold one forecast."""
        slots = cut.test - cut.start
        bounds = [cut.start + slots * number // self.folds for number in range(self.folds + 1)]
        return [
            _fold(start, stop - round((stop - start) * self.validate), stop, horizon)
            for start, stop in pairwise(bounds)
        ]


FoldRule = RollingFolds | BlockedFolds


def _fold(start: int, validate: int, stop: int, horizon: int) -> Split:
    lengths = (validate - start, stop - validate)
    if min(lengths) <= horizon:
        raise DataError(
            f"a fold would train on {max(lengths[0], 0)} slots and validate on {lengths[1]}, yet "
            f"each needs more than the horizon, {horizon}; ask for fewer folds or give more history"
        )
    return Split(validate, stop, stop, start)
