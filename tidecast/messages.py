"""The messages on the wire: JSON in UTF-8, their version in a `schema` header.

Forecasts may be in Avro instead (`forecast_avro`).

The classes are the contract; `json_schemas` publishes it for other languages. What the worker
reads and writes by the thousand has typed fast paths in `stream`, held equal to these classes by
tests.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tidecast.errors import MessageError, Reason

SCHEMA_HEADER: Final = "schema"
OBSERVATION_SCHEMA: Final = b"tidecast.observation/1"
FORECAST_SCHEMA: Final = b"tidecast.forecast/1"
FORECAST_AVRO_SCHEMA: Final = b"tidecast.forecast.avro/1"
REJECTION_SCHEMA: Final = b"tidecast.rejection/1"

SERIES_ID_BYTES: Final = 256
"""Longest series id in UTF-8: it is a Kafka key and a Redis field for every series."""

EVENT_ID_BYTES: Final = 64
"""Longest event id in UTF-8."""

RECORD_BYTES: Final = 64 * 1024
"""Longest observation; what is longer is rejected unread."""

VALUE_CHANNEL: Final = "value"
"""The channel of a model that has only one and no better name for it."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

OFFSET_BYTES: Final = 8
"""Of an offset in a forecast's id."""

NO_OFFSET: Final = -1
"""The source offset of a stale forecast: no record, but a timer."""

USUAL_LEAD: Final = 1
"""A forecast begins with the slot after the newest one."""

SeriesId = Annotated[str, Meta(min_length=1, max_length=SERIES_ID_BYTES)]
EventId = Annotated[str, Meta(min_length=1, max_length=EVENT_ID_BYTES)]
ZonedTime = Annotated[datetime, Meta(tz=True)]
Timestamp = ZonedTime | int
"""RFC 3339 with a zone, or whole milliseconds since 1970 UTC."""


class Observation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One measured point of a series: a value per channel, None where it is missing.

    `event_id` names the measurement: a stream that remembers ids (`stream.remembered_ids`) rejects
    another observation of the series with the same one.
    """

    series_id: SeriesId
    timestamp: Timestamp
    values: dict[str, float | None]
    future: dict[str, list[float | None]] | None = None
    event_id: EventId | None = None


class Status(StrEnum):
    """What a reader should know before trusting a forecast."""

    OK = "ok"
    COLD = "cold"
    """The series has been seen for less than half the context."""
    GAPPY = "gappy"
    """More than half the slots since the series began are missing."""
    STALE = "stale"
    """The series fell quiet; a timer made this forecast."""
    FALLBACK = "fallback"
    """The model failed; this repeats the last known value."""
    REBUILDING = "rebuilding"
    """The state was lost and comes from a shorter history than it had."""


class Source(msgspec.Struct, frozen=True):
    """The record on the events topic that a forecast answers; see NO_OFFSET."""

    partition: int
    offset: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Quantiles of the whole horizon: `quantiles[level][lead - 1]`, in the target's units.

    A model of one number, or of classes, answers for one slot: the one `lead` after `origin`. A
    classifier says `probabilities[class]` of its `classes` instead. `origin` is the start of the
    newest slot known, `issued_at` the Kafka timestamp of the record that was answered. Of a stale
    forecast they are the slot and the time at which its timer went off. Readers ignore fields they
    do not know; a message leaves out a list that is empty, and the usual lead.
    """

    forecast_id: str
    series_id: str
    origin: datetime
    step_seconds: int
    issued_at: datetime
    model: str
    model_version: str
    target: str
    lead: int = USUAL_LEAD
    quantile_levels: list[float] = []
    quantiles: list[list[float]] = []
    classes: list[str] = []
    probabilities: list[float] = []
    status: Status
    source: Source

    def at(self, level: float) -> list[float]:
        """The horizon at one of the `quantile_levels`. Raises ValueError for another level."""
        return self.quantiles[self.quantile_levels.index(level)]


class Rejection(msgspec.Struct, frozen=True):
    """A record that could not be used: its own bytes untouched, and where and why it fell out."""

    key: bytes | None
    value: bytes | None
    topic: str
    partition: int
    offset: int
    stage: str
    reason: Reason
    detail: str


_OBSERVATION = msgspec.json.Decoder(Observation)
_FORECAST = msgspec.json.Decoder(Forecast)
_ENCODER = msgspec.json.Encoder()


def encode_observation(observation: Observation) -> bytes:
    """JSON of an observation. NaN and infinities become null, which means missing."""
    return _ENCODER.encode(observation)


def decode_observation(data: bytes) -> Observation:
    """Raises MessageError when `data` is not an observation."""
    try:
        return _OBSERVATION.decode(data)
    except msgspec.ValidationError as error:
        raise MessageError(Reason.SCHEMA, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(Reason.MALFORMED, str(error)) from error


def decode_forecast(data: bytes) -> Forecast:
    """Raises MessageError when `data` is not a forecast."""
    try:
        return _FORECAST.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MessageError(Reason.SCHEMA, f"not a forecast: {error}") from error


def encode_forecast(forecast: Forecast) -> bytes:
    """JSON of a forecast, as the worker writes it."""
    return _ENCODER.encode(forecast)


def milliseconds(timestamp: Timestamp) -> int:
    """A timestamp as whole milliseconds since 1970 UTC, rounded down."""
    if isinstance(timestamp, int):
        return timestamp
    return (timestamp - EPOCH) // MILLISECOND


def rejection_headers(rejection: Rejection) -> list[tuple[str, bytes]]:
    """The headers that carry a rejection beside the original key and value."""
    return [
        (SCHEMA_HEADER, REJECTION_SCHEMA),
        ("topic", rejection.topic.encode()),
        ("partition", b"%d" % rejection.partition),
        ("offset", b"%d" % rejection.offset),
        ("stage", rejection.stage.encode()),
        ("reason", rejection.reason.encode()),
        ("detail", rejection.detail.encode("utf-8", "replace")),
    ]


def read_rejection(
    key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]
) -> Rejection:
    """The inverse of `rejection_headers`. Raises MessageError when a header is missing."""
    try:
        return Rejection(
            key=key,
            value=value,
            topic=headers["topic"].decode(),
            partition=int(headers["partition"]),
            offset=int(headers["offset"]),
            stage=headers["stage"].decode(),
            reason=Reason(headers["reason"].decode()),
            detail=headers["detail"].decode(),
        )
    except (KeyError, ValueError) as error:
        raise MessageError(Reason.SCHEMA, f"not a rejection: {error!r}") from error


class ForecastIds:
    """Forecast ids of one partition: 64 bits that name it, and the offset of the answered record.

    The name is blake2b of epoch, topic, partition and model. The same event answered by the same
    model has the same id on every worker, for ever; a reader drops repeats by it. A stale forecast
    answers no event: its id is 128 bits of blake2b of the same with its series and slot.
    """

    def __init__(self, epoch: int, topic: str, partition: int, graph_sha256: str) -> None:
        identity = f"{epoch}\0{topic}\0{partition}\0{graph_sha256}\0".encode()
        self._name = hashlib.blake2b(identity, digest_size=8).hexdigest()
        self._prefix = hashlib.blake2b(identity, digest_size=16)

    def of(self, offset: int) -> str:
        """The id of the forecast for the record at `offset`: 32 hex digits."""
        return f"{self._name}{offset:016x}"

    def of_all(self, offsets: Sequence[int]) -> list[str]:
        """The ids for the records at the given offsets, in one pass."""
        if not offsets:
            return []
        digits = struct.pack(f">{len(offsets)}Q", *offsets).hex(",", OFFSET_BYTES)
        return (self._name + digits.replace(",", f",{self._name}")).split(",")

    def of_stale(self, series_id: str, slot: int) -> str:
        """The id of the stale forecast of a series in a slot: 32 hex digits."""
        digest = self._prefix.copy()
        digest.update(b"stale" + slot.to_bytes(8, "big", signed=True) + series_id.encode())
        return digest.hexdigest()


def json_schemas() -> dict[str, Any]:
    """JSON Schema of every message, by the name of its class."""
    (_, definitions) = msgspec.json.schema_components((Observation, Forecast))
    return dict(definitions)
