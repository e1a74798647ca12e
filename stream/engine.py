"""The engine: a batch of records in, answers out, the table brought up to date.

Pure: no I/O and no clock. The same table and the same records give the same answers, however the
records are cut into batches, so live runs, replays and back-tests are this one piece of code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream.answering import ANSWERING, Answering, Emit
from stream.decoder import Columns, Decoder, Refusal
from stream.draft import Draft
from stream.forecaster import Forecaster
from stream.grid import NEVER, FloatArray, IntArray, rounds, slots_of
from stream.predictor import Predictor
from stream.records import Record
from stream.series.admission import Admission
from stream.series.layout import Layout
from stream.series.lifetimes import Lifetimes
from stream.series.rows import SeriesRows
from stream.series.table import SeriesTable
from stream.side_by_side import Side, SideBySide, TableBatch, sides_of
from tidecast.bundle import Manifest
from tidecast.errors import Reason, SettingsError
from tidecast.settings import Rule, StreamSettings


class Answers(NamedTuple):
    """The forecasts of a batch, in order of their offsets, and the records it refused.

    positions: [N] place of the answered record in the batch. series_ids: N of them. origins: [N]
    seconds since 1970. forecasts: [N, horizon, levels]. statuses: [N] indices into STATUSES.
    touched: rows that changed, perhaps more than once. ended: series that the table has no more.
    """

    positions: IntArray
    series_ids: Sequence[str]
    origins: IntArray
    forecasts: FloatArray
    statuses: IntArray
    touched: IntArray
    refusals: list[Refusal]
    ended: list[str]


class Engine:
    """Applies observations to a table and forecasts from it."""

    def __init__(self, predictor: Predictor, stream: StreamSettings) -> None:
        """Raises SettingsError when a rule of the stream does not fit the model."""
        self.manifest = predictor.manifest
        self.stream = stream
        self.layout = _layout_of(self.manifest, stream)
        self.forecaster = Forecaster(predictor, self.layout)
        self._decoder = decoder_of(self.manifest, stream)
        self._admission = Admission(stream)
        self._lifetimes = Lifetimes(stream.end_after_slots)

    def new_table(self) -> SeriesTable:
        """An empty table of this engine's layout."""
        return SeriesTable(self.layout)

    def apply(self, table: SeriesTable, records: Sequence[Record], emit: Emit = "all") -> Answers:
        """Apply each record once, in order; every one is answered, patched in, or refused.

        emit: "latest" answers, of the events that "all" answers, the last one of each series in
        the batch (and of each life of a series that ends in it); "none" nothing. The table becomes
        the same.
        """
        return self.apply_columns(table, self._decoder.decode(records), emit)

    def apply_columns(self, table: SeriesTable, columns: Columns, emit: Emit = "all") -> Answers:
        """Apply records that were decoded already, or, in a back-test, never encoded."""
        rows = table.find(columns.series_ids)
        draft = Draft.of(columns, rows, self.stream.step_seconds, self.manifest)
        answering = ANSWERING[emit](self.forecaster, table, draft)
        ended: list[str] = []
        done = 0
        while done < len(draft):
            before = table.watermark
            stop = self._admit(table, draft, done)
            self._place(table, draft, answering, done, stop)
            gone = self._lifetimes.ended(table, before)
            if len(gone):
                answering.settle(gone)
                ended += table.remove(gone)
                draft.forget(gone, stop)
            done = stop
        answering.settle()
        count = len(columns.positions) + len(columns.refusals)
        return self._collect(Side(table, range(count), slice(len(draft)), rows), draft, ended)

    def apply_together(self, batches: Sequence[TableBatch], emit: Emit = "all") -> list[Answers]:
        """Apply batches of different tables, each as `apply` would, to the same answers.

        The model runs for all of them at once, as long as they are about series that their tables
        know; otherwise they are applied one by one.
        """
        if len(batches) == 1:
            return [self.apply(*batches[0], emit)]
        records = [record for batch in batches for record in batch.records]
        columns = self._decoder.decode(records)
        sides = sides_of(batches, columns)
        slots = slots_of(columns.timestamps_ms, self.stream.step_seconds)
        if not all(self._settled(side, slots) for side in sides):
            return [self.apply(*batch, emit) for batch in batches]
        copies = SideBySide(sides)
        draft = Draft.of(columns, copies.of_events, self.stream.step_seconds, self.manifest)
        answering = ANSWERING[emit](self.forecaster, copies.rows, draft)
        self._place(copies.rows, draft, answering, 0, len(draft))
        answering.settle()
        copies.put_back()
        return [self._collect(side, draft, []) for side in sides]

    def _settled(self, side: Side, slots: IntArray) -> bool:
        """Whether a batch neither begins nor ends a series. slots: [B] of all events."""
        if len(side.rows) and side.rows.min() < 0:
            return False
        return not self._lifetimes.sweeps(side.table, slots[side.events])

    def rebuild_states(self, table: SeriesTable, rows: IntArray) -> None:
        """Recompute both states of the given series by stepping through their windows.

        For when a state cannot be trusted: a slot was mended, or the model is another one.
        """
        self.forecaster.rebuild(table, rows)

    def _admit(self, table: SeriesTable, draft: Draft, start: int) -> int:
        """Give rows to the new series among the next events, up to a sweep; returns its place."""
        strangers = draft.strangers(table, start)
        if not len(strangers):
            slots, usable = draft.slots[start:], draft.usable[start:]
            return start + self._lifetimes.until_sweep(table, slots, usable)
        seconds = draft.columns.recorded_ms[strangers] // 1000
        verdicts = self._admission.judge(table, draft.series_ids(strangers), seconds)
        admitted = np.array([verdict is None for verdict in verdicts], np.bool_)
        usable = draft.usable[start:].copy()
        usable[strangers[~admitted] - start] = False
        stop = start + self._lifetimes.until_sweep(table, draft.slots[start:], usable)
        coming = strangers < stop
        begin = strangers[admitted & coming]
        draft.rows[begin] = table.begin(draft.series_ids(begin), seconds[admitted & coming])
        for verdict in {verdict for verdict in verdicts if verdict is not None}:
            same = np.array([other == verdict for other in verdicts])
            draft.refuse(strangers[same & coming], Reason.QUOTA, verdict)
        return stop

    def _place(
        self, table: SeriesRows, draft: Draft, answering: Answering, start: int, stop: int
    ) -> None:
        """Apply the usable events from `start` to `stop`, all of series with a row."""
        places = start + np.flatnonzero(draft.usable[start:stop])
        for turn in rounds(draft.rows[places]):
            self._round(table, places[turn], draft, answering)

    def _round(
        self, table: SeriesRows, places: IntArray, draft: Draft, answering: Answering
    ) -> None:
        """One event of each of several series: onto the grid, into the window, answered."""
        places = _without_repeats(table, places, draft)
        rows = draft.rows[places]
        newest = table.newest(rows)
        # A blank row takes any slot; NEVER is then no number to subtract from.
        lags = np.where(newest == NEVER, -1, newest - draft.slots[places])
        new, late = lags < 0, lags > self.layout.grace
        answered = ~late if self.stream.late == "accept" else lags <= 0
        answering.before(rows, new, ~(answered | late))
        if new.all():  # as nearly always
            self._shift_in(table, places, draft)
        else:
            self._shift_in(table, places[new], draft)
            self._merge(table, places[~new & ~late], lags[~new & ~late], draft)
            draft.refuse(places[late], Reason.LATE, "older than the newest slot allows")
        if draft.columns.events is not None:
            table.remember(rows[~late], draft.columns.events[places[~late]])
        answering.after(rows[answered], places[answered])

    def _shift_in(self, table: SeriesRows, places: IntArray, draft: Draft) -> None:
        """One value into each of several windows, after all that is there."""
        rows, slots = draft.rows[places], draft.slots[places]
        self.forecaster.step_to(table, rows, slots)
        table.shift_in(rows, slots, draft.columns.values[places], draft.within_ms[places])

    def _merge(self, table: SeriesRows, places: IntArray, lags: IntArray, draft: Draft) -> None:
        """One value into each of several windows, `lags` slots before the newest one."""
        rows = draft.rows[places]
        table.combine(rows, lags, draft.columns.values[places], draft.within_ms[places])
        self.forecaster.rebuild(table, rows[lags > 0])

    def _collect(self, side: Side, draft: Draft, ended: list[str]) -> Answers:
        """The answers to one batch. ended: series of its table that were removed meanwhile."""
        table, records, events, rows = side
        answered = draft.answered_of(events)
        touched = rows[draft.usable[events]]
        if ended:
            touched = np.intersect1d(touched, table.rows())
        return Answers(
            positions=draft.columns.positions[answered] - records.start,
            series_ids=draft.series_ids(answered),
            origins=draft.origins[answered] * self.stream.step_seconds,
            forecasts=draft.forecasts[answered],
            statuses=draft.statuses[answered],
            touched=touched,
            refusals=[
                refusal._replace(position=refusal.position - records.start)
                for refusal in sorted(draft.refusals)
                if refusal.position in records
            ],
            ended=table.missing(dict.fromkeys(ended)),
        )


def decoder_of(manifest: Manifest, stream: StreamSettings) -> Decoder:
    """A decoder of what the model takes."""
    return Decoder(
        manifest.channel_names,
        stream.ahead_s,
        event_ids=stream.remembered_ids > 0,
        covariates=[covariate.name for covariate in manifest.future],
        horizon=manifest.horizon,
    )


def _layout_of(manifest: Manifest, stream: StreamSettings) -> Layout:
    """The rows that the model and the stream's rules need."""
    if stream.grace_slots >= manifest.context:
        raise SettingsError(
            f"stream.grace_slots is {stream.grace_slots}, the model's window has "
            f"{manifest.context} slots: a value that late has no place in it"
        )
    if stream.stale_after_slots and stream.stale_after_slots >= manifest.context - 1:
        raise SettingsError(
            f"stream.stale_after_slots is {stream.stale_after_slots}, the model's window has "
            f"{manifest.context} slots: after such a silence it holds nothing to forecast from"
        )
    rules = _rules_of(manifest, stream.aggregate)
    return Layout(
        context=manifest.context,
        channels=len(rules),
        state_size=manifest.state_size,
        grace=0 if stream.late == "reject" else stream.grace_slots,
        averaged=tuple(place for place, rule in enumerate(rules) if rule == "mean"),
        summed=tuple(place for place, rule in enumerate(rules) if rule == "sum"),
        remembered=stream.remembered_ids,
        step_seconds=stream.step_seconds,
    )


def _rules_of(manifest: Manifest, aggregate: Rule | dict[str, Rule]) -> list[Rule]:
    """The rule of each channel."""
    names = manifest.channel_names
    if isinstance(aggregate, str):
        return [aggregate] * len(names)
    unknown = sorted(set(aggregate) - set(names))
    if unknown:
        raise SettingsError(
            f"stream.aggregate names the channel {unknown[0]!r}; the model has {', '.join(names)}"
        )
    return [aggregate.get(name, "last") for name in names]


def _without_repeats(table: SeriesRows, places: IntArray, draft: Draft) -> IntArray:
    """The places of events that are not refused because their series has had them."""
    events = draft.columns.events
    if events is None or not events[places].any():
        return places
    repeats = table.remembers(draft.rows[places], events[places])
    draft.refuse(places[repeats], Reason.DUPLICATE, "its event_id was seen before")
    return places[~repeats]
