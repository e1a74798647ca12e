"""How a recipe splits its data by time: by shares, or by counts of rows."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from tidecast.bundle import Positive
from training.data.table import Split, Table, split, split_end, split_rows

Share = Annotated[float, Meta(gt=0.0, lt=1.0)]


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="shares"):
    """Shares of the slots: first train, then validate, then test."""

    validate: Share = 0.15
    test: Share = 0.15

    def __post_init__(self) -> None:
        """Raise ValueError when nothing is left to train on."""
        if self.validate + self.test >= 1:
            raise ValueError(f"validate + test is {self.validate + self.test}, must be below 1")

    def cut(self, table: Table, horizon: int) -> Split:
        """See `split`."""
        return split(table, self.validate, self.test, horizon)


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="rows"):
    """Counts of slots from the first one on, as published protocols state them.

    ETTh1: 8640, 2880 and 2880. What comes after the three parts is used by none.
    """

    train_rows: Positive
    validate_rows: Positive
    test_rows: Positive

    def cut(self, table: Table, horizon: int) -> Split:
        """See `split_rows`."""
        return split_rows(table, self.train_rows, self.validate_rows, self.test_rows, horizon)


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="end"):
    """Counts of slots at the end of the table, as competitions have it: M4 Hourly 48 and 48."""

    validate_rows: Positive
    test_rows: Positive

    def cut(self, table: Table, horizon: int) -> Split:
        """See `split_end`."""
        return split_end(table, self.validate_rows, self.test_rows, horizon)


SplitRule = Shares | Rows | End
