"""What the worker would reject, found on the publisher's side, with the same reasons."""

from __future__ import annotations

import math
from datetime import datetime
from numbers import Real
from typing import Final

import msgspec

from tidecast.errors import MessageError, Reason
from tidecast.messages import EVENT_ID_BYTES, SERIES_ID_BYTES, Observation, Timestamp

LARGEST_FLOAT32: Final = 3.4028234663852886e38


def checked(observation: Observation) -> Observation:
    """The observation with plain floats. Raises MessageError for what no worker would accept."""
    _check_id("series_id", observation.series_id, SERIES_ID_BYTES)
    if observation.event_id is not None:
        _check_id("event_id", observation.event_id, EVENT_ID_BYTES)
    _check_timestamp(observation.timestamp)
    values = {channel: _checked_value(channel, v) for channel, v in observation.values.items()}
    return msgspec.structs.replace(observation, values=values)


def _check_id(field: str, text: object, most: int) -> None:
    if not isinstance(text, str) or not text:
        raise MessageError(Reason.SCHEMA, f"{field} must be a non-empty text, not {text!r}")
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise MessageError(Reason.MALFORMED, f"{field} is not valid text: {error}") from error
    if length > most:
        raise MessageError(Reason.SCHEMA, f"{field} has {length} bytes, at most {most}")


def _check_timestamp(timestamp: Timestamp) -> None:
    match timestamp:
        case datetime():
            if timestamp.utcoffset() is None:
                raise MessageError(
                    Reason.TIMESTAMP,
                    f"{timestamp.isoformat()} has no time zone; use datetime.now(UTC), "
                    "or .replace(tzinfo=UTC) when it is UTC",
                )
        case bool() | float():
            raise MessageError(
                Reason.TIMESTAMP, f"{timestamp!r} is not whole milliseconds since 1970"
            )
        case int():
            return
        case _:
            raise MessageError(Reason.TIMESTAMP, f"not a datetime or milliseconds: {timestamp!r}")


def _checked_value(channel: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise MessageError(Reason.SCHEMA, f"{channel}: {value!r} is not a number")
    number = float(value)
    if math.isnan(number):
        raise MessageError(Reason.NON_FINITE, f"{channel} is NaN; a missing value is None")
    if abs(number) > LARGEST_FLOAT32:
        raise MessageError(Reason.NON_FINITE, f"{channel}: {value!r} does not fit a 32-bit float")
    return number
