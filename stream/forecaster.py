"""A model over the rows of a table: states taken through time, forecasts and their status."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.grid import NEVER, BoolArray, FloatArray, IntArray
from stream.predictor import Predictor
from stream.series.table import Layout, SeriesTable
from tidecast.messages import Status

STATUSES: tuple[Status, ...] = tuple(Status)
_OK, _COLD, _GAPPY, _STALE, _FALLBACK = (
    STATUSES.index(status)
    for status in (Status.OK, Status.COLD, Status.GAPPY, Status.STALE, Status.FALLBACK)
)


class Forecasts(NamedTuple):
    """quantiles: [B, horizon, levels]. statuses: [B] indices into STATUSES."""

    quantiles: FloatArray
    statuses: IntArray


class Forecaster:
    """Brings windows and states of a table to a slot, and forecasts from there."""

    def __init__(self, predictor: Predictor, layout: Layout) -> None:
        manifest = predictor.manifest
        self._predictor = predictor
        self._layout = layout
        self._target = [channel.name for channel in manifest.channels].index(manifest.target)

    def forecast(self, table: SeriesTable, rows: IntArray) -> Forecasts:
        """Forecast [B] from the newest slot of each series, and carry the state on."""
        windows = table.windows(rows)
        origins, before = self._origins(table.newest(rows)), table.states_before(rows)
        forecasts, states = self._predictor.predict(windows, origins, before)
        table.set_states(rows, _finite_states(states))
        target = windows[:, :, self._target]
        failed = _spoilt(forecasts.reshape(len(forecasts), -1))
        if failed.any():
            forecasts = forecasts.copy()
            forecasts[failed] = _last_known(target[failed])[:, None, None]
        return Forecasts(forecasts, self._judge(target, table.spans(rows), failed))

    def carry_on(self, table: SeriesTable, rows: IntArray) -> None:
        """Take the states through the newest slot, as `forecast` does, without a forecast."""
        if self._layout.state_size:
            states = self._step(table.windows(rows), table.newest(rows), table.states_before(rows))
            table.set_states(rows, states)

    def forecast_quiet(self, table: SeriesTable, rows: IntArray, slot: int) -> Forecasts:
        """Stale forecasts [B] as of `slot`, as if the given series had had missing values since.

        Each series' newest slot is older than `slot`. The table stays as it is.
        """
        aside, every = table.copy_of(rows), np.arange(len(rows))
        slots, nothing = np.full(len(rows), slot), self._nothing(len(rows))
        self.step_to(aside, every, slots)
        aside.shift_in(every, slots, nothing, np.zeros_like(slots))
        forecasts = self.forecast(aside, every)
        failed = forecasts.statuses == _FALLBACK
        return forecasts._replace(statuses=np.where(failed, _FALLBACK, _STALE))

    def statuses(self, table: SeriesTable, rows: IntArray) -> IntArray:
        """Status of a forecast at each series' newest slot [B], indices into STATUSES.

        As far as the window tells: whether the model's answer is finite is not tried.
        """
        target = table.windows(rows)[:, :, self._target]
        return self._judge(target, table.spans(rows), np.zeros(len(rows), np.bool_))

    def step_to(self, table: SeriesTable, rows: IntArray, slots: IntArray) -> None:
        """Bring each series to just before its slot: missing slots, or a fresh start."""
        newest = table.newest(rows)
        known = newest != NEVER
        missing = np.where(known, slots - newest - 1, 0)
        if not missing.any():
            return
        # A model that sees one slot still carries its state from slot to slot.
        beyond = missing >= max(self._layout.context - 1, 1)
        table.clear(rows[beyond])
        missing[beyond] = 0
        for step in range(1, int(missing.max(initial=0)) + 1):
            gapped = np.flatnonzero(missing >= step)
            nothing, at_once = self._nothing(len(gapped)), np.zeros_like(gapped)
            table.shift_in(rows[gapped], newest[gapped] + step, nothing, at_once)
            self.carry_on(table, rows[gapped])

    def rebuild(self, table: SeriesTable, rows: IntArray) -> None:
        """Recompute both states of the given series by stepping through their windows."""
        if self._layout.state_size == 0 or len(rows) == 0:
            return
        context = self._layout.context
        final, spans, newest = table.windows(rows), table.spans(rows), table.newest(rows)
        state = np.zeros((len(rows), self._layout.state_size), np.float32)
        before = state.copy()
        for place in range(context - int(spans.max()), context):
            begun = np.flatnonzero(spans >= context - place)
            seen = np.full_like(final[begun], np.nan)
            seen[:, context - 1 - place :] = final[begun, : place + 1]
            slots = newest[begun] - (context - 1 - place)
            before[begun] = state[begun]
            state[begun] = self._step(seen, slots, state[begun])
        table.set_states(rows, state)
        table.set_states_before(rows, before)

    def _step(self, windows: FloatArray, slots: IntArray, states: FloatArray) -> FloatArray:
        return _finite_states(self._predictor.step(windows, self._origins(slots), states))

    def _origins(self, slots: IntArray) -> IntArray:
        return slots * self._layout.step_seconds

    def _nothing(self, count: int) -> FloatArray:
        """Missing values [count, channels]."""
        return np.full((count, self._layout.channels), np.nan, np.float32)

    def _judge(self, target: FloatArray, spans: IntArray, failed: BoolArray) -> IntArray:
        missing = np.isnan(target).sum(axis=1) - (self._layout.context - spans)
        status = np.where(missing * 2 > spans, _GAPPY, _OK)
        status = np.where(spans * 2 < self._layout.context, _COLD, status)
        return np.where(failed, _FALLBACK, status)


def _finite_states(states: FloatArray) -> FloatArray:
    """A state that a failed model spoilt starts again from zeros."""
    spoilt = _spoilt(states)
    if spoilt.any():
        states = np.where(spoilt[:, None], np.float32(0), states)
    return states


def _spoilt(numbers: FloatArray) -> BoolArray:
    """Which rows of [B, N] have a number that is not finite."""
    finite = np.isfinite(numbers)
    if finite.all():
        return np.zeros(len(numbers), np.bool_)
    spoilt: BoolArray = np.any(~finite, axis=1)
    return spoilt


def _last_known(target: FloatArray) -> FloatArray:
    """The newest value that is not missing [B], 0 where all are: target is [B, context]."""
    known = ~np.isnan(target)
    newest = target.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), target[np.arange(len(target)), newest], np.float32(0))
