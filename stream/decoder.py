"""Record bytes to columns: typed decoding, one pass, every bad record with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.explanation import explained
from stream.grid import FLOAT32_MAX, AnyArray, BoolArray, FloatArray, IntArray
from stream.records import Oversize, Record
from tidecast.errors import MessageError, Reason
from tidecast.messages import (
    EVENT_ID_BYTES,
    RECORD_BYTES,
    SERIES_ID_BYTES,
    EventId,
    SeriesId,
    Timestamp,
    milliseconds,
)

EARLIEST_MS: Final = -62_072_524_800_000
"""0003-01-01: the start of its slot, at most 366 days earlier, can still be written as a date."""
LATEST_MS: Final = 253_402_300_799_999
NO_TIMESTAMP: Final = -1
"""What Kafka says of a record that has none."""


class TypedObservation(Protocol):
    """An observation as the typed decoder makes it: `values` has a field for each channel."""

    series_id: str
    timestamp: datetime | int
    values: msgspec.Struct
    future: dict[str, list[float | None]] | None
    event_id: str | None


class Refusal(NamedTuple):
    """A record that is not used: its position in the batch, and why."""

    position: int
    reason: Reason
    detail: str


class Columns(NamedTuple):
    """The usable records of a batch, column by column, in order of their offsets.

    positions: [B] place in the batch. timestamps_ms: [B] of the observations, recorded_ms: [B] of
    their records (Kafka's clock). values: [B, channels], NaN = missing.
    events: [B] hashes of the event ids, 0 where there is none; None when they are not wanted.
    future: [B, horizon, covariates] that come along, NaN where they do not; None when the model
    takes none.
    """

    positions: IntArray
    series_ids: list[str]
    timestamps_ms: IntArray
    recorded_ms: IntArray
    values: NDArray[Any]
    events: AnyArray | None
    future: FloatArray | None
    refusals: list[Refusal]


class Decoder:
    """Decodes observations of the given channels."""

    def __init__(
        self,
        channels: Sequence[str],
        ahead_s: int,
        event_ids: bool = False,
        covariates: Sequence[str] = (),
        horizon: int = 1,
    ) -> None:
        """event_ids: whether to hash the ids of the events. covariates: those known ahead."""
        self._covariates = tuple(covariates)
        self._horizon = horizon
        self._channels = tuple(channels)
        self._event_ids = event_ids
        self._ahead_ms = ahead_s * 1000
        # Channel names may be any text; struct fields may not, so they are numbered and renamed.
        names = {f"channel_{place}": name for place, name in enumerate(channels)}
        values = msgspec.defstruct(
            "Values",
            [(field, float | None) for field in names],
            rename=names,
            forbid_unknown_fields=True,
            gc=False,
        )
        self._fields = tuple(names)
        observation = msgspec.defstruct(
            "Observation",
            [
                ("series_id", SeriesId),
                ("timestamp", Timestamp),
                ("values", values),
                ("future", dict[str, list[float | None]] | None, None),
                ("event_id", EventId | None, None),
            ],
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode = cast(
            Callable[[bytes], TypedObservation], msgspec.json.Decoder(observation).decode
        )

    def decode(self, records: Sequence[Record]) -> Columns:
        """Columns of the records that are observations, refusals of those that are not."""
        observations = self._decode_all(records)
        if observations is None:
            positions, observations, refusals = self._decode_each(records)
        else:
            positions, refusals = list(range(len(records))), []
        columns = Columns(
            np.array(positions, np.int64),
            [observation.series_id for observation in observations],
            _times_of(observations),
            np.array([records[position].timestamp for position in positions], np.int64),
            self._values_of([observation.values for observation in observations]),
            _hashes_of(observations) if self._event_ids else None,
            self._future_of(observations) if self._covariates else None,
            refusals,
        )
        return _without_infinite(self._without_wrong_times(columns))

    def _decode_all(self, records: Sequence[Record]) -> list[TypedObservation] | None:
        """The records as observations; None when one of them is not as it must be."""
        values: list[Any] = [record.value for record in records]
        try:
            observations = list(map(self._decode, values))
        except (TypeError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        keys = [record.key for record in records]
        ids = [observation.series_id.encode() for observation in observations]
        events = [observation.event_id for observation in observations]
        fit = (
            ids == keys
            and max(map(len, values), default=0) <= RECORD_BYTES
            and max(map(len, ids), default=0) <= SERIES_ID_BYTES
            and all(event_id is None or _fits(event_id) for event_id in events)
        )
        return observations if fit else None

    def _decode_each(
        self, records: Sequence[Record]
    ) -> tuple[list[int], list[TypedObservation], list[Refusal]]:
        """Where there are observations, these, and refusals of all other records."""
        positions, observations, refusals = [], [], []
        for position, record in enumerate(records):
            try:
                observations.append(self._decode_one(record))
            except MessageError as error:
                refusals.append(Refusal(position, error.reason, error.detail))
            else:
                positions.append(position)
        return positions, observations, refusals

    def _decode_one(self, record: Record) -> TypedObservation:
        value, key = record.value, record.key
        if not value:
            if isinstance(record, Oversize):
                raise MessageError(Reason.TOO_LARGE, record.detail)
            raise MessageError(Reason.EMPTY, "the record has no value")
        if len(value) > RECORD_BYTES:
            raise MessageError(Reason.TOO_LARGE, f"{len(value)} bytes, at most {RECORD_BYTES}")
        try:
            observation = self._decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise explained(value, str(error), self._channels) from error
        if key is None:
            raise MessageError(Reason.NO_KEY, "the record's key must be its series_id")
        encoded = observation.series_id.encode()
        if encoded != key:
            raise MessageError(Reason.KEY_MISMATCH, f"the key is not {observation.series_id!r}")
        if len(encoded) > SERIES_ID_BYTES:
            raise MessageError(Reason.SCHEMA, f"series_id is longer than {SERIES_ID_BYTES} bytes")
        if observation.event_id is not None and not _fits(observation.event_id):
            raise MessageError(Reason.SCHEMA, f"event_id is longer than {EVENT_ID_BYTES} bytes")
        return observation

    def _without_wrong_times(self, columns: Columns) -> Columns:
        """Refuse times outside the calendar, and ahead of the record's own."""
        times, recorded = columns.timestamps_ms, columns.recorded_ms
        unknown = _outside(recorded) | (recorded == NO_TIMESTAMP)
        refused: BoolArray = _outside(times) | unknown | (times > recorded + self._ahead_ms)
        if not refused.any():
            return columns
        refusals = [
            Refusal(position, *self._fault(time_ms, recorded_ms))
            for position, time_ms, recorded_ms in zip(
                columns.positions[refused].tolist(),
                times[refused].tolist(),
                recorded[refused].tolist(),
                strict=True,
            )
        ]
        return _without(columns, refused, refusals)

    def _fault(self, time_ms: int, recorded_ms: int) -> tuple[Reason, str]:
        """What is wrong with an observation's time, or with its record's."""
        if not EARLIEST_MS <= time_ms <= LATEST_MS:
            return Reason.TIMESTAMP, f"{time_ms} ms is outside the calendar"
        if recorded_ms == NO_TIMESTAMP or not EARLIEST_MS <= recorded_ms <= LATEST_MS:
            detail = f"the record's own time, {recorded_ms} ms, is none or outside the calendar"
            return Reason.TIMESTAMP, detail
        ahead_s = (time_ms - recorded_ms) // 1000
        return Reason.FUTURE, f"{ahead_s} s ahead of the record's own time"

    def _values_of(self, rows: list[msgspec.Struct]) -> NDArray[np.float64]:
        columns = [[getattr(row, field) for row in rows] for field in self._fields]
        return np.array(columns, np.float64).reshape(len(self._fields), len(rows)).T

    def _future_of(self, observations: Sequence[TypedObservation]) -> FloatArray:
        """What comes along; short lists end early, what is too large counts as missing."""
        shape = (len(observations), self._horizon, len(self._covariates))
        future = np.full(shape, np.nan)
        for place, observation in enumerate(observations):
            known = observation.future or {}
            for number, name in enumerate(self._covariates):
                numbers = known.get(name, [])[: self._horizon]
                future[place, : len(numbers), number] = numbers
        return np.where(np.abs(future) > FLOAT32_MAX, np.nan, future).astype(np.float32)


def _hashes_of(observations: Sequence[TypedObservation]) -> AnyArray:
    """64-bit hashes of the event ids, 0 where there is none; the same on every machine."""
    events = np.zeros(len(observations), np.uint64)
    for place, observation in enumerate(observations):
        if observation.event_id is not None:
            digest = hashlib.blake2b(observation.event_id.encode(), digest_size=8).digest()
            events[place] = int.from_bytes(digest, "little") or 1
    return events


def _fits(event_id: str) -> bool:
    return len(event_id.encode()) <= EVENT_ID_BYTES


def _times_of(observations: Sequence[TypedObservation]) -> IntArray:
    """Milliseconds since 1970 [N]; what 64 bits cannot hold is just outside the calendar."""
    times = [milliseconds(observation.timestamp) for observation in observations]
    try:
        return np.array(times, np.int64)
    except OverflowError:
        return np.array([min(max(time, EARLIEST_MS - 1), LATEST_MS + 1) for time in times])


def _outside(times_ms: IntArray) -> BoolArray:
    """Which times are outside the calendar."""
    outside: BoolArray = (times_ms < EARLIEST_MS) | (times_ms > LATEST_MS)
    return outside


def _without_infinite(columns: Columns) -> Columns:
    """Refuse numbers too large for 32-bit floats; make the others such floats."""
    large = np.abs(columns.values) > FLOAT32_MAX
    if large.any():
        refused: BoolArray = np.any(large, axis=1)
        refusals = [
            Refusal(position, Reason.NON_FINITE, f"a value above {FLOAT32_MAX:.4g}")
            for position in columns.positions[refused].tolist()
        ]
        columns = _without(columns, refused, refusals)
    return columns._replace(values=columns.values.astype(np.float32))


def _without(columns: Columns, refused: BoolArray, refusals: list[Refusal]) -> Columns:
    """The columns without the refused places [B], whose refusals join the others."""
    keep = ~refused
    return Columns(
        columns.positions[keep],
        [series_id for series_id, kept in zip(columns.series_ids, keep, strict=True) if kept],
        columns.timestamps_ms[keep],
        columns.recorded_ms[keep],
        columns.values[keep],
        None if columns.events is None else columns.events[keep],
        None if columns.future is None else columns.future[keep],
        sorted(columns.refusals + refusals),
    )
