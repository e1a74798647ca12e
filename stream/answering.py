"""Which events of a batch are answered: every one, the last one of each series, or none.

All three take windows and states to the same bytes. A forecast says the same whoever makes it, so
"the last one" leaves forecasts out, and changes none.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

import numpy as np

from stream.draft import Draft
from stream.forecaster import Forecaster
from stream.grid import BoolArray, IntArray
from stream.series.rows import SeriesRows

Emit = Literal["all", "latest", "none"]


class Answering(Protocol):
    """Takes the states of a batch's series on, and makes the forecasts that are wanted."""

    def before(self, rows: IntArray, new: BoolArray, patched: BoolArray) -> None:
        """The given series [B] are about to take their next event.

        new: where it comes after the newest slot. patched: where it mends an older one, and is not
        to be answered.
        """
        ...

    def after(self, rows: IntArray, places: IntArray) -> None:
        """The given series [B] have taken the events at `places`, which may be answered."""
        ...

    def settle(self, rows: IntArray | None = None) -> None:
        """Nothing more comes of the given series, or of any."""
        ...


class EveryAnswer:
    """Every event that may be answered is, at once."""

    def __init__(self, forecaster: Forecaster, table: SeriesRows, draft: Draft) -> None:
        self._forecaster = forecaster
        self._table = table
        self._draft = draft

    def before(self, rows: IntArray, new: BoolArray, patched: BoolArray) -> None:
        """See Answering."""

    def after(self, rows: IntArray, places: IntArray) -> None:
        """See Answering."""
        if len(rows):
            _answer(self._forecaster, self._table, self._draft, rows, places)

    def settle(self, rows: IntArray | None = None) -> None:
        """See Answering."""


class NoAnswer:
    """The table is all that is wanted."""

    def __init__(
        self,
        forecaster: Forecaster,
        table: SeriesRows,
        draft: Draft,  # noqa: ARG002 - one signature for all
    ) -> None:
        self._forecaster = forecaster
        self._table = table

    def before(self, rows: IntArray, new: BoolArray, patched: BoolArray) -> None:
        """See Answering."""

    def after(self, rows: IntArray, places: IntArray) -> None:  # noqa: ARG002
        """See Answering."""
        self._forecaster.carry_on(self._table, rows)

    def settle(self, rows: IntArray | None = None) -> None:
        """See Answering."""


class LatestAnswer:
    """Of the events of a series that may be answered, only the last one is.

    Whether an event is the last one shows when the next one has been judged: it may be a repeat,
    or late. So an answer waits, and the model with it: it runs once for each event, for the state
    alone when another event takes the answer's place.
    """

    def __init__(self, forecaster: Forecaster, table: SeriesRows, draft: Draft) -> None:
        self._forecaster = forecaster
        self._table = table
        self._draft = draft
        self._waiting: dict[int, int] = {}
        """The place of the event to answer, by row. The row's state is from before its slot."""
        self._early: dict[int, int] = {}
        """The place of an answer that could not wait, by row; a later one takes it back."""

    def before(self, rows: IntArray, new: BoolArray, patched: BoolArray) -> None:
        """See Answering."""
        if not self._waiting:
            return
        # A second value for the newest slot starts from the state before it: nothing to do.
        overtaken = [row for row in rows[new].tolist() if row in self._waiting]
        if overtaken:
            self._forecaster.carry_on(self._table, np.array(overtaken))
        # An answer knows nothing of the value that mends the window after it.
        mended = [row for row in rows[patched].tolist() if row in self._waiting]
        self._early.update(self._answer(mended))

    def after(self, rows: IntArray, places: IntArray) -> None:
        """See Answering."""
        answered = rows.tolist()
        self._waiting.update(zip(answered, places.tolist(), strict=True))
        if self._early:
            taken_back = [self._early.pop(row) for row in answered if row in self._early]
            self._draft.answered[taken_back] = False

    def settle(self, rows: IntArray | None = None) -> None:
        """See Answering."""
        settled = list(self._waiting) if rows is None else rows.tolist()
        self._answer([row for row in settled if row in self._waiting])
        for row in settled:
            self._early.pop(row, None)

    def _answer(self, rows: list[int]) -> dict[int, int]:
        """Make the answers that wait in the given rows; returns their places by row."""
        places = {row: self._waiting.pop(row) for row in rows}
        if rows:
            events = np.array(list(places.values()))
            _answer(self._forecaster, self._table, self._draft, np.array(rows), events)
        return places


def _answer(
    forecaster: Forecaster, table: SeriesRows, draft: Draft, rows: IntArray, places: IntArray
) -> None:
    """Answer the events at `places` by forecasts of their series [B] from the newest slots."""
    newest = table.newest(rows)
    draft.answer(places, newest, forecaster.forecast(table, rows, draft.future(places, newest)))


ANSWERING: Final[dict[Emit, type[EveryAnswer | LatestAnswer | NoAnswer]]] = {
    "all": EveryAnswer,
    "latest": LatestAnswer,
    "none": NoAnswer,
}
