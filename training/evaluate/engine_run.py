"""Rolling-origin back-tests through the serving engine.

Each slot of a series, from the first that has a value on, is an observation; a missing value is a
null, as a publisher would send it. They reach the engine as columns, all series of a slot at once,
without having been JSON; the answers are bit for bit those that a worker would have published,
which a test holds against the worker's own path.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from stream.decoder import Columns
from stream.engine import Engine
from stream.grid import BoolArray, FloatArray, IntArray
from stream.predictor import Predictor
from tidecast.bundle import Manifest
from tidecast.errors import DataError
from tidecast.settings import StreamSettings
from training.data.table import Table
from training.evaluate.case import known_ahead, window_values

UNANSWERED: Final = -1
"""The status of an origin before a series has begun."""


class Run(NamedTuple):
    """Answers at the wanted origins.

    answers: float32 [series, N, horizon, width], NaN before a series begins. statuses: int64
    [series, N], indices into `stream.forecaster.STATUSES`, or UNANSWERED.
    """

    answers: FloatArray
    statuses: IntArray

    @property
    def answered(self) -> BoolArray:
        """Where there is an answer: [series, N]."""
        answered: BoolArray = self.statuses != UNANSWERED
        return answered


def run(predictor: Predictor, table: Table, origins: IntArray) -> Run:
    """Answer at the given origins: [N], rising slots of the table.

    Raises DataError when the table's step, channels or covariates are not the model's, or an
    origin is not in it.
    """
    manifest = predictor.manifest
    _check(manifest, table, origins)
    stream = StreamSettings(step_seconds=table.step_seconds, max_series=len(table.names))
    engine = Engine(predictor, stream)
    state = engine.new_table()
    observed = _Observed(table, manifest)
    shape = (len(table.names), len(origins))
    answers = np.full((*shape, manifest.horizon, manifest.width), np.nan, np.float32)
    statuses = np.full(shape, UNANSWERED, np.int64)
    places = {slot: place for place, slot in enumerate(origins.tolist())}
    for slot in range(_first_slot(manifest, origins), int(origins[-1]) + 1):
        rows = np.flatnonzero(observed.begun <= slot)
        columns, place = observed.columns(rows, slot), places.get(slot)
        found = engine.apply_columns(state, columns, "none" if place is None else "all")
        if place is not None:
            answers[rows[found.positions], place] = found.forecasts
            statuses[rows[found.positions], place] = found.statuses
    return Run(answers, statuses)


class _Observed:
    """A table as the observations of its slots."""

    def __init__(self, table: Table, manifest: Manifest) -> None:
        self._table = table
        self._manifest = manifest
        self._values = window_values(table, manifest)
        self._known = known_ahead(table, manifest)
        self.begun = first_known(np.any(~np.isnan(self._values), axis=2))
        """[series] the slot with which each begins; one after the last where none does."""

    def columns(self, rows: IntArray, slot: int) -> Columns:
        """The observations of one slot of the given series [B]."""
        time_ms = (self._table.first + slot * self._table.step_seconds) * 1000
        times_ms = np.full(len(rows), time_ms)
        return Columns(
            positions=np.arange(len(rows)),
            series_ids=[self._table.names[row] for row in rows.tolist()],
            timestamps_ms=times_ms,
            recorded_ms=times_ms,
            values=self._values[rows, slot],
            events=None,
            future=self._future(rows, slot),
            refusals=[],
        )

    def _future(self, rows: IntArray, slot: int) -> FloatArray | None:
        """What the observations bring along: [B, horizon, covariates]."""
        if self._known is None:
            return None
        horizon, covariates = self._manifest.horizon, self._known.shape[2]
        future = np.full((len(rows), horizon, covariates), np.nan, np.float32)
        begin = slot + self._manifest.lead
        found = self._known[rows, begin : begin + horizon]
        future[:, : found.shape[1]] = found
        return future


def first_known(known: BoolArray) -> IntArray:
    """The first slot at which each series is known; the number of slots where none is.

    known: [series, slots].
    """
    begun: IntArray = np.where(known.any(axis=1), known.argmax(axis=1), known.shape[1])
    return begun


def _first_slot(manifest: Manifest, origins: IntArray) -> int:
    """Where to begin: a model without a state knows nothing from before its window."""
    if manifest.state_size:
        return 0
    return max(0, int(origins[0]) - manifest.context + 1)


def _check(manifest: Manifest, table: Table, origins: IntArray) -> None:
    if manifest.step_seconds not in (None, table.step_seconds):
        raise DataError(
            f"the model's step is {manifest.step_seconds} s, that of the data "
            f"{table.step_seconds} s; bring the data onto the model's grid"
        )
    slots = table.values.shape[1]
    if not len(origins) or origins[0] < 0 or origins[-1] >= slots or (np.diff(origins) < 1).any():
        raise DataError(f"origins must rise within the data's {slots} slots; got {len(origins)}")
