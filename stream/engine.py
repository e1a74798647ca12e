"""The engine: a batch of records in, answers out, the table brought up to date.

Pure: no I/O and no clock. The same table and the same batch give the same answers, so live runs,
replays and back-tests are this one piece of code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream.decoder import Columns, Decoder, Refusal
from stream.grid import NEVER, BoolArray, FloatArray, IntArray, rounds, slots_of
from stream.predictor import Prediction, Predictor
from stream.records import Record
from stream.series_table import Layout, SeriesTable
from tidecast.errors import Reason, SettingsError
from tidecast.messages import Status
from tidecast.settings import StreamSettings

STATUSES: tuple[Status, ...] = tuple(Status)
_OK, _COLD, _GAPPY, _FALLBACK = (
    STATUSES.index(status) for status in (Status.OK, Status.COLD, Status.GAPPY, Status.FALLBACK)
)


class Answers(NamedTuple):
    """The forecasts of a batch, in order of their offsets, and the records it refused.

    positions: [N] place of the answered record in the batch. rows: [N]. origins: [N] seconds
    since 1970. forecasts: [N, horizon, levels]. statuses: [N] indices into STATUSES.
    touched: distinct rows that changed.
    """

    positions: IntArray
    rows: IntArray
    origins: IntArray
    forecasts: FloatArray
    statuses: IntArray
    touched: IntArray
    refusals: list[Refusal]


class Engine:
    """Applies observations to a table and forecasts from it."""

    def __init__(self, predictor: Predictor, stream: StreamSettings) -> None:
        """Raises SettingsError when the grace is longer than the model's window."""
        manifest = predictor.manifest
        if stream.grace_slots >= manifest.context:
            raise SettingsError(
                f"stream.grace_slots is {stream.grace_slots}, the model's window has "
                f"{manifest.context} slots: a value that late has no place in it"
            )
        names = [channel.name for channel in manifest.channels]
        self.manifest = manifest
        self.stream = stream
        self.layout = Layout(manifest.context, len(names), manifest.state_size, stream.grace_slots)
        self._predictor = predictor
        self._decoder = Decoder(names, stream.ahead_s)
        self._target = names.index(manifest.target)

    def new_table(self) -> SeriesTable:
        """An empty table of this engine's layout."""
        return SeriesTable(self.layout)

    def apply(self, table: SeriesTable, records: Sequence[Record]) -> Answers:
        """Apply each record once, in order; every one is answered, patched in, or refused."""
        columns = self._decoder.decode(records)
        slots = slots_of(columns.timestamps_ms, self.stream.step_seconds)
        rows = table.rows_of(columns.series_ids)
        draft = _Draft.of(len(rows), self.manifest.horizon, len(self.manifest.quantile_levels))
        for turn in rounds(rows):
            late = self._round(table, rows[turn], slots[turn], columns.values[turn], turn, draft)
            draft.late.extend(turn[late].tolist())
        return self._collect(columns, rows, slots, draft)

    def rebuild_states(self, table: SeriesTable, rows: IntArray) -> None:
        """Recompute both states of the given series by stepping through their windows.

        For when a state cannot be trusted: a slot was mended, or the model is another one.
        """
        if self.layout.state_size == 0 or len(rows) == 0:
            return
        context = self.layout.context
        final, spans, newest = table.windows(rows), table.spans(rows), table.newest(rows)
        state = np.zeros((len(rows), self.layout.state_size), np.float32)
        before = state.copy()
        for place in range(context - int(spans.max()), context):
            begun = np.flatnonzero(spans >= context - place)
            seen = np.full_like(final[begun], np.nan)
            seen[:, context - 1 - place :] = final[begun, : place + 1]
            slots = newest[begun] - (context - 1 - place)
            before[begun] = state[begun]
            state[begun] = _finite_states(self._predict(seen, slots, state[begun]).next_state)
        table.set_states(rows, state)
        table.set_states_before(rows, before)

    def statuses(self, table: SeriesTable, rows: IntArray) -> IntArray:
        """Status of a forecast at each series' newest slot [B], indices into STATUSES.

        As far as the window tells: whether the model's answer is finite is not tried.
        """
        target = table.windows(rows)[:, :, self._target]
        return self._judge(target, table.spans(rows), np.zeros(len(rows), np.bool_))

    def _round(
        self,
        table: SeriesTable,
        rows: IntArray,
        slots: IntArray,
        values: FloatArray,
        positions: IntArray,
        draft: _Draft,
    ) -> IntArray:
        """One event of each of several series. Returns which were too late to use."""
        self._step_to(table, rows, slots)
        newest = table.newest(rows)
        # A blank row takes any slot; NEVER is then no number to subtract from.
        lags = np.where(newest == NEVER, -1, newest - slots)
        new, usable = lags < 0, lags <= self.layout.grace
        same, patch = lags == 0, (lags > 0) & usable
        table.shift_in(rows[new], slots[new], values[new])
        merged = same | patch
        table.combine(rows[merged], lags[merged], values[merged], self.stream.aggregate)
        self.rebuild_states(table, rows[patch])
        self._answer(table, rows, np.flatnonzero(new | same), positions, draft)
        return np.flatnonzero(~usable)

    def _step_to(self, table: SeriesTable, rows: IntArray, slots: IntArray) -> None:
        """Bring each series to just before its slot: missing slots, or a fresh start."""
        newest = table.newest(rows)
        known = newest != NEVER
        missing = np.where(known, slots - newest - 1, 0)
        # A model that sees one slot still carries its state from slot to slot.
        beyond = missing >= max(self.layout.context - 1, 1)
        table.clear(rows[beyond])
        missing[beyond] = 0
        empty = np.full((len(rows), self.layout.channels), np.nan, np.float32)
        for step in range(1, int(missing.max(initial=0)) + 1):
            gapped = np.flatnonzero(missing >= step)
            table.shift_in(rows[gapped], newest[gapped] + step, empty[gapped])
            if self.layout.state_size:
                prediction = self._predict_rows(table, rows[gapped])
                table.set_states(rows[gapped], _finite_states(prediction.next_state))

    def _answer(
        self,
        table: SeriesTable,
        rows: IntArray,
        chosen: IntArray,
        positions: IntArray,
        draft: _Draft,
    ) -> None:
        """Forecast for the chosen events of a round, and carry the state on."""
        rows, places = rows[chosen], positions[chosen]
        if len(rows) == 0:
            return
        windows = table.windows(rows)
        prediction = self._predict(windows, table.newest(rows), table.states_before(rows))
        table.set_states(rows, _finite_states(prediction.next_state))
        target = windows[:, :, self._target]
        failed: BoolArray = np.any(~np.isfinite(prediction.forecast), axis=(1, 2))
        draft.forecasts[places] = prediction.forecast
        draft.statuses[places] = self._judge(target, table.spans(rows), failed)
        draft.answered[places] = True
        if failed.any():
            draft.forecasts[places[failed]] = _last_known(target[failed])[:, None, None]

    def _judge(self, target: FloatArray, spans: IntArray, failed: BoolArray) -> IntArray:
        missing = np.isnan(target).sum(axis=1) - (self.layout.context - spans)
        status = np.where(missing * 2 > spans, _GAPPY, _OK)
        status = np.where(spans * 2 < self.layout.context, _COLD, status)
        return np.where(failed, _FALLBACK, status)

    def _predict_rows(self, table: SeriesTable, rows: IntArray) -> Prediction:
        return self._predict(table.windows(rows), table.newest(rows), table.states_before(rows))

    def _predict(self, windows: FloatArray, slots: IntArray, states: FloatArray) -> Prediction:
        return self._predictor.predict(windows, slots * self.stream.step_seconds, states)

    def _collect(self, columns: Columns, rows: IntArray, slots: IntArray, draft: _Draft) -> Answers:
        late = [
            Refusal(int(columns.positions[place]), Reason.LATE, "older than the newest slot allows")
            for place in draft.late
        ]
        answered = np.flatnonzero(draft.answered)
        return Answers(
            positions=columns.positions[answered],
            rows=rows[answered],
            origins=slots[answered] * self.stream.step_seconds,
            forecasts=draft.forecasts[answered],
            statuses=draft.statuses[answered],
            touched=np.unique(np.delete(rows, draft.late)),
            refusals=sorted(columns.refusals + late),
        )


class _Draft(NamedTuple):
    """Answers by place in the decoded batch, while the rounds fill them in."""

    forecasts: FloatArray
    statuses: IntArray
    answered: BoolArray
    late: list[int]

    @classmethod
    def of(cls, size: int, horizon: int, levels: int) -> _Draft:
        return cls(
            np.zeros((size, horizon, levels), np.float32),
            np.zeros(size, np.int64),
            np.zeros(size, np.bool_),
            [],
        )


def _finite_states(states: FloatArray) -> FloatArray:
    """A state that a failed model spoilt starts again from zeros."""
    spoilt: BoolArray = np.any(~np.isfinite(states), axis=1)
    if spoilt.any():
        states = np.where(spoilt[:, None], np.float32(0), states)
    return states


def _last_known(target: FloatArray) -> FloatArray:
    """The newest value that is not missing [B], 0 where all are: target is [B, context]."""
    known = ~np.isnan(target)
    newest = target.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), target[np.arange(len(target)), newest], np.float32(0))
