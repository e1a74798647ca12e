"""Windows of a table with what comes after them: what a windowed model learns from."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tidecast.errors import DataError
from training.data.table import Table
from training.data.waves import Floats, Ints
from training.rows import Rows
from training.tasks.forecast import ForecastTask
from training.tasks.task import Task, channel_of, leads_of, targets_of

Bend = Callable[[Floats], Floats]
"""Changes stretches [B, T, channels] of series, and keeps their shape: an augmentation."""


@final
class Samples:
    """All origins of a span of slots whose target is known, and lies in the span as well.

    A window may reach back before the span: that is the past, which is known by then.
    """

    def __init__(self, table: Table, task: Task, context: int, span: range) -> None:
        """Raises DataError when there is no such origin."""
        self._table = table
        self._context = context
        self._leads = leads_of(task)
        self._channel = channel_of(task, table) if isinstance(task, ForecastTask) else None
        self._targets = targets_of(task, table)
        self.places = self._known(span)
        """int64 [N, 2] series and slot of each origin."""
        if not len(self.places):
            raise DataError(
                f"no target is known in slots {span.start} to {span.stop}: give more history, a "
                "shorter horizon, or other shares of validate and test"
            )
        before = np.full((len(table.names), context - 1, len(table.channels)), np.nan, np.float32)
        self._padded = np.concatenate((before, table.values), axis=1)

    def __len__(self) -> int:
        return len(self.places)

    def at(self, numbers: Ints, bend: Bend | None = None) -> Rows:
        """The given samples [B], numbered from 0 on.

        bend: changes each window together with what comes after it, where that is the target.
        """
        series, slots = self.places[numbers].T
        stretch = self._stretch(series, slots)
        if bend is not None:
            stretch = bend(stretch)
        return Rows(
            stretch[:, : self._context],
            self._table.first + slots * self._table.step_seconds,
            self._targets_of(stretch, series, slots),
            self._future(series, slots),
        )

    def _known(self, span: range) -> Ints:
        first, last = span.start + int(self._leads[0]), span.stop
        known = ~np.isnan(self._targets[:, first:last])
        if known.shape[1] < len(self._leads):
            return np.zeros((0, 2), np.int64)
        any_known = sliding_window_view(known, len(self._leads), axis=1).any(axis=2)
        places: Ints = np.argwhere(any_known) + np.array([0, span.start])
        return places

    def _stretch(self, series: Ints, slots: Ints) -> Floats:
        """Each window and, where a channel is forecast, the slots of its targets: [B, T, n]."""
        reach = self._context + (0 if self._channel is None else len(self._leads))
        found: Floats = self._padded[series[:, None], slots[:, None] + np.arange(reach)]
        return found

    def _targets_of(self, stretch: Floats, series: Ints, slots: Ints) -> Floats:
        if self._channel is not None:
            return stretch[:, self._context :, self._channel]
        labels: Floats = self._targets[series, slots + self._leads[0]]
        return labels

    def _future(self, series: Ints, slots: Ints) -> Floats | None:
        """What is known ahead, [B, leads, covariates]."""
        known = self._table.known
        return None if known is None else known[series[:, None], slots[:, None] + self._leads]
