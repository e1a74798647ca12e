"""A model over the rows of a table: states taken through time, forecasts and their status."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.grid import NEVER, BoolArray, FloatArray, IntArray
from stream.predictor import Inputs, Predictor
from stream.series.layout import Layout
from stream.series.rows import SeriesRows
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
        names = manifest.channel_names
        self._targets = [names.index(manifest.target)] if manifest.target in names else []
        self._fallback = np.array(manifest.fallback or [0] * manifest.width, np.float32)

    def forecast(
        self, table: SeriesRows, rows: IntArray, future: FloatArray | None = None
    ) -> Forecasts:
        """Forecast [B] from the newest slot of each series, and carry the state on.

        future: [B, horizon, covariates] as `Inputs` has it.
        """
        inputs = self._inputs(
            table.windows(rows), table.newest(rows), table.states_before(rows), future
        )
        forecasts, states = self._predictor.predict(inputs)
        table.set_states(rows, _finite_states(states))
        failed = _spoilt(forecasts.reshape(len(forecasts), -1))
        if failed.any():
            forecasts = forecasts.copy()
            forecasts[failed] = self._without_model(inputs.windows[failed])
        return Forecasts(forecasts, self._judge(inputs.windows, table.spans(rows), failed))

    def carry_on(self, table: SeriesRows, rows: IntArray) -> None:
        """Take the states through the newest slot, as `forecast` does, without a forecast."""
        if self._layout.state_size:
            before = table.states_before(rows)
            states = self._step(self._inputs(table.windows(rows), table.newest(rows), before))
            table.set_states(rows, states)

    def forecast_quiet(self, table: SeriesRows, rows: IntArray, slot: int) -> Forecasts:
        """Stale forecasts [B] as of `slot`, as if the given series had had missing values since.

        Each series' newest slot is older than `slot`. The table stays as it is.
        """
        aside, every = SeriesRows.gathered([(table, rows)]), np.arange(len(rows))
        slots, nothing = np.full(len(rows), slot), self._nothing(len(rows))
        self.step_to(aside, every, slots)
        aside.shift_in(every, slots, nothing, np.zeros_like(slots))
        forecasts = self.forecast(aside, every)
        failed = forecasts.statuses == _FALLBACK
        return forecasts._replace(statuses=np.where(failed, _FALLBACK, _STALE))

    def statuses(self, table: SeriesRows, rows: IntArray) -> IntArray:
        """Status of a forecast at each series' newest slot [B], indices into STATUSES.

        As far as the window tells: whether the model's answer is finite is not tried.
        """
        failed = np.zeros(len(rows), np.bool_)
        return self._judge(table.windows(rows), table.spans(rows), failed)

    def step_to(self, table: SeriesRows, rows: IntArray, slots: IntArray) -> None:
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

    def rebuild(self, table: SeriesRows, rows: IntArray) -> None:
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
            state[begun] = self._step(self._inputs(seen, slots, state[begun]))
        table.set_states(rows, state)
        table.set_states_before(rows, before)

    def _step(self, inputs: Inputs) -> FloatArray:
        return _finite_states(self._predictor.step(inputs))

    def _inputs(
        self,
        windows: FloatArray,
        slots: IntArray,
        states: FloatArray,
        future: FloatArray | None = None,
    ) -> Inputs:
        return Inputs(windows, slots * self._layout.step_seconds, states, future)

    def _nothing(self, count: int) -> FloatArray:
        """Missing values [count, channels]."""
        return np.full((count, self._layout.channels), np.nan, np.float32)

    def _without_model(self, windows: FloatArray) -> FloatArray:
        """What is answered where the model fails, as far as it needs shape: [B, 1, width or 1]."""
        if not self._targets:
            return self._fallback[None, None]
        return _last_known(windows[:, :, self._targets[0]])[:, None, None]

    def _judge(self, windows: FloatArray, spans: IntArray, failed: BoolArray) -> IntArray:
        """A slot is missing without the target, or, where that is no channel, without anything."""
        seen = windows[:, :, self._targets] if self._targets else windows
        missing = np.isnan(seen).all(axis=2).sum(axis=1) - (self._layout.context - spans)
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
