"""A decoded batch while it is being answered, event by event."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.decoder import Columns, Refusal
from stream.forecaster import Forecasts
from stream.grid import BoolArray, FloatArray, IntArray, slots_of
from stream.series.table import SeriesTable
from tidecast.bundle import Manifest
from tidecast.errors import Reason


class Draft(NamedTuple):
    """What is known of each event by its place [B] among those that could be decoded.

    rows: of its series, -1 while there is none. slots, within_ms: on the grid, and since the slot
    began. usable: not refused so far. answered, with origins (slots), forecasts [B, horizon,
    levels] and statuses where it is. refusals: with positions in the batch of records.
    """

    columns: Columns
    rows: IntArray
    slots: IntArray
    within_ms: IntArray
    usable: BoolArray
    answered: BoolArray
    origins: IntArray
    forecasts: FloatArray
    statuses: IntArray
    refusals: list[Refusal]

    @classmethod
    def of(
        cls,
        columns: Columns,
        rows: IntArray,
        step_seconds: int,
        manifest: Manifest,
    ) -> Draft:
        """A batch of which nothing is answered yet. rows: [B] as a draft has them."""
        slots = slots_of(columns.timestamps_ms, step_seconds)
        size = len(slots)
        return cls(
            columns=columns,
            rows=rows,
            slots=slots,
            within_ms=columns.timestamps_ms - slots * (step_seconds * 1000),
            usable=np.ones(size, np.bool_),
            answered=np.zeros(size, np.bool_),
            origins=np.zeros(size, np.int64),
            # Takes no memory where nothing is written.
            forecasts=np.zeros((size, manifest.horizon, manifest.width), np.float32),
            statuses=np.zeros(size, np.int64),
            refusals=list(columns.refusals),
        )

    def __len__(self) -> int:
        return len(self.slots)

    def strangers(self, table: SeriesTable, start: int) -> IntArray:
        """Places from `start` on of events whose series the table does not have."""
        places = start + np.flatnonzero(self.rows[start:] < 0)
        if len(places):
            self.rows[places] = table.find(self.series_ids(places))
        return places[self.rows[places] < 0]

    def series_ids(self, places: IntArray | slice) -> list[str]:
        """The series of the given events."""
        ids = self.columns.series_ids
        if isinstance(places, slice):
            return ids[places]
        return [ids[place] for place in places.tolist()]

    def answered_of(self, events: slice) -> IntArray | slice:
        """Places of the given events that are answered; where all are, they are not picked out."""
        answered = self.answered[events]
        if answered.all():  # as nearly always
            return events
        return (events.start or 0) + np.flatnonzero(answered)

    def future(self, places: IntArray, newest: IntArray) -> FloatArray | None:
        """What the given events say of the slots to be forecast [B, horizon, covariates].

        newest: [B] the slots to be forecast from, at or after those of the events.
        """
        known = self.columns.future
        if known is None:
            return None
        leads = np.arange(known.shape[1]) + (newest - self.slots[places])[:, None]
        within = np.minimum(leads, known.shape[1] - 1)
        found: FloatArray = known[places[:, None], within]
        found[leads > within] = np.nan
        return found

    def forget(self, rows: IntArray, start: int) -> None:
        """The given rows are free: events from `start` on are strangers again."""
        self.rows[start:][np.isin(self.rows[start:], rows)] = -1

    def answer(self, places: IntArray, origins: IntArray, forecasts: Forecasts) -> None:
        """Set the answers of the given events."""
        self.answered[places] = True
        self.origins[places] = origins
        self.forecasts[places] = forecasts.quantiles
        self.statuses[places] = forecasts.statuses

    def refuse(self, places: IntArray, reason: Reason, detail: str) -> None:
        """Refuse the given events."""
        self.usable[places] = False
        positions = self.columns.positions[places].tolist()
        self.refusals.extend(Refusal(position, reason, detail) for position in positions)
