"""What `tidecast state inspect` shows: partitions and series, as plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec
import numpy as np

from stream.admin.inspection import Judgement, PartitionState, judge
from stream.admin.state import StateAdmin
from stream.engine import Engine
from stream.forecaster import STATUSES
from stream.grid import NEVER, FloatArray
from stream.state.checkpoint import Head, Size, TopicPartition
from tidecast.errors import StateError
from tidecast.topics import partition_of

HASH_DIGITS: Final = 12
LAST_SLOTS: Final = 8
"""Slots of a series that are shown."""


class PartitionReport(msgspec.Struct, frozen=True):
    """One partition. None: not known, since nothing is stored or the topic has no such one.

    model: its name where it is the configured one, else the beginning of its graph's hash.
    lag: events that wait for an answer. command: what resolves the verdict, if anything need.
    """

    partition: int
    verdict: str
    detail: str
    command: str | None
    generation: int | None
    member: str | None
    cursor: int | None
    committed: int | None
    log_start: int | None
    log_end: int | None
    lag: int
    rows: int
    bytes: int
    model: str | None
    layout_fits: bool | None
    epoch: int | None


class SeriesReport(msgspec.Struct, frozen=True):
    """One stored series. newest: start of its newest slot, None when it has none.

    span: slots since it began, at most the context. values: of each channel, the last slots',
    oldest first, None where missing. status: what a forecast at the newest slot would have.
    """

    series_id: str
    partition: int
    newest: datetime | None
    span: int
    values: dict[str, list[float | None]]
    status: str


async def report_partitions(admin: StateAdmin, only: int | None = None) -> list[PartitionReport]:
    """All partitions, or one. Raises StateError when there is no such one. Reads only."""
    terms, forgotten = await admin.terms(), await admin.services.group.forgotten()
    states = [one for one in await admin.look() if only in (None, one.place.partition)]
    if not states:
        raise StateError(f"{admin.topic} has no partition {only}")
    store, engine = admin.services.store, admin.engine
    return [
        _partition_report(
            state, judge(state, terms, forgotten=forgotten), await store.size(state.place), engine
        )
        for state in states
    ]


async def report_series(admin: StateAdmin, series_id: str) -> SeriesReport:
    """One series. Raises StateError when it is not stored, or not in a layout of these settings."""
    terms, store = await admin.terms(), admin.services.store
    place = TopicPartition(admin.topic, partition_of(series_id, terms.partitions))
    head, found = await store.head(place), await store.find(place, [series_id])
    if head is None or not found:
        raise StateError(f"nothing is stored of series {series_id!r}, which belongs to {place}")
    if head.layout != terms.layout:
        raise StateError(
            f"series {series_id!r} is stored in another layout, of another model or other settings "
            "than these: its row cannot be read"
        )
    return _series_report(admin.engine, place.partition, found)


def _partition_report(
    state: PartitionState, judged: Judgement, size: Size, engine: Engine
) -> PartitionReport:
    head, bounds = state.head, state.bounds
    return PartitionReport(
        partition=state.place.partition,
        verdict=judged.verdict,
        detail=judged.detail,
        command=judged.command,
        generation=head.generation if head else None,
        member=head.member if head else None,
        cursor=head.cursor if head else None,
        committed=bounds.committed if bounds else None,
        log_start=bounds.start if bounds else None,
        log_end=bounds.end if bounds else None,
        lag=state.lag,
        rows=size.rows,
        bytes=size.bytes,
        model=_model_of(head, engine) if head else None,
        layout_fits=head.layout == engine.layout.fingerprint() if head else None,
        epoch=head.epoch if head else None,
    )


def _series_report(engine: Engine, partition: int, row: dict[str, bytes]) -> SeriesReport:
    table, (series_id,) = engine.new_table(), row
    table.load(row)
    one = np.zeros(1, np.int64)
    newest, step = int(table.newest(one)[0]), engine.stream.step_seconds
    span = int(table.spans(one)[0])
    window = table.windows(one)[0]
    window = window[len(window) - min(span, LAST_SLOTS) :]
    channels = [channel.name for channel in engine.manifest.channels]
    return SeriesReport(
        series_id,
        partition,
        None if newest == NEVER else datetime.fromtimestamp(newest * step, UTC),
        span,
        {name: _listed(window[:, place]) for place, name in enumerate(channels)},
        STATUSES[int(engine.forecaster.statuses(table, one)[0])],
    )


def _listed(values: FloatArray) -> list[float | None]:
    """float32 numbers in their shortest form."""
    return [None if np.isnan(value) else float(str(value)) for value in values]


def _model_of(head: Head, engine: Engine) -> str:
    manifest = engine.manifest
    if head.model == manifest.graph_sha256:
        return f"{manifest.name} {manifest.version}"
    return head.model[:HASH_DIGITS]
