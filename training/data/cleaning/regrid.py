"""A coarser grid."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec
import numpy as np

from tidecast.bundle import Positive
from tidecast.errors import DataError
from training.data.cleaning.filling import carried
from training.data.cleaning.step import Cleaned
from training.data.table import Split, Table
from training.data.waves import Floats

Rule = Literal["mean", "sum", "last", "max"]


class Regrid(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="step", tag="regrid"
):
    """Several slots become one: the rule combines what is known of the values, and of what is known
    ahead; of labels the last one counts. A slot of which nothing is known is missing.
    """

    counted: ClassVar[Literal["values", "slots", "series"]] = "slots"
    reshapes: ClassVar[bool] = True
    step_seconds: Positive
    rule: Rule = "mean"

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`; the split is to be made anew. The count is that of the slots gone.

        Raises DataError when the new step is no multiple of the table's.
        """
        del cut
        ratio, rest = divmod(self.step_seconds, table.step_seconds)
        if rest or ratio < 2:
            raise DataError(
                f"regrid to {self.step_seconds} s: the data has steps of {table.step_seconds} s; "
                "give a multiple of that"
            )
        # Slots begin at multiples of the step since 1970, as the worker's do.
        lead = table.first % self.step_seconds // table.step_seconds
        labels = None if table.labels is None else table.labels[..., None]
        values = _combined(table.values, ratio, lead, self.rule)
        coarser = table._replace(
            values=values,
            first=table.first - lead * table.step_seconds,
            step_seconds=self.step_seconds,
            labels=None if labels is None else _combined(labels, ratio, lead, "last")[..., 0],
            known=None if table.known is None else self._known(table, table.known, ratio, lead),
        )
        return Cleaned(coarser, table.values.shape[1] - values.shape[1])

    def _known(self, table: Table, known: Floats, ratio: int, lead: int) -> Floats:
        """What is known ahead; a static attribute stays what it is, also by the rule `sum`."""
        combined = _combined(known, ratio, lead, self.rule)
        static = [name in table.static for name in table.covariates]
        combined[..., static] = _combined(known[..., static], ratio, lead, "last")
        return combined


def _combined(values: Floats, ratio: int, lead: int, rule: Rule) -> Floats:
    """Combine `ratio` slots into one; `lead` slots are missing before the first.

    values: [series, slots, channels].
    """
    series, slots, channels = values.shape
    tail = -(lead + slots) % ratio
    padded = np.pad(values, ((0, 0), (lead, tail), (0, 0)), constant_values=np.nan)
    groups = padded.reshape(-1, ratio, channels)
    known = ~np.isnan(groups)
    wide = groups.astype(np.float64)
    match rule:
        case "last":
            combined = carried(groups, ratio)[:, -1].astype(np.float64)
        case "max":
            combined = np.where(known, wide, -np.inf).max(axis=1)
        case "sum" | "mean":
            combined = np.where(known, wide, 0).sum(axis=1)
            if rule == "mean":
                combined /= np.maximum(known.sum(axis=1), 1)
    shown = np.where(known.any(axis=1), combined, np.nan).astype(np.float32)
    return shown.reshape(series, -1, channels)
