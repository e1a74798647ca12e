"""Every error Tidecast raises on purpose.

TidecastError
├── SettingsError          a setting is unknown, missing or out of range      exit 78
├── BundleError            a model bundle is damaged, forged or does not fit  exit 65
├── DataError              a file of observations or a training set is unfit  exit 65
├── MessageError           one record cannot be used; carries a `Reason`      (rejected)
├── ServiceError           an outside system does not answer                  exit 69, retriable
│   ├── KafkaError
│   ├── RedisError
│   └── LocalServerError   an embedded server did not start                   not retriable
├── StateError             stored state contradicts the log                   exit 70
│   ├── FencedError        a newer owner holds the partition                  (partition dropped)
│   ├── StoreLostError     Redis went back behind our checkpoint         (written anew)
│   ├── EpochError         the state belongs to another epoch, of ids or of the group
│   ├── LogMismatchError   retention, truncation or a changed partition count
│   └── GroupInUseError    workers run while a command is to change the state
├── WatchdogError          the worker stands still, or has grown too large    exit 70
└── WindowError            a caller broke a rule of the window                exit 70

A command ends with the `exit_code` of the error that stopped it (the numbers are those of
sysexits.h). `retriable` says whether the same call may succeed later.
"""

from __future__ import annotations

import enum
from typing import ClassVar, Final

EXIT_CANNOT_CONTINUE: Final = 70
"""A worker that can no longer keep its promise leaves with this code and is restarted."""


class Reason(enum.StrEnum):
    """Why a record went to the `rejected` topic."""

    MALFORMED = "malformed"
    """Not JSON, or not UTF-8."""
    EMPTY = "empty"
    """A null or empty value."""
    TOO_LARGE = "too_large"
    """The value is longer than `messages.RECORD_BYTES`."""
    SCHEMA = "schema"
    """JSON of another shape: a field is missing, unknown or of the wrong type."""
    NO_KEY = "no_key"
    """The record has no key, so its partition says nothing about its series."""
    KEY_MISMATCH = "key_mismatch"
    """The record's key is not its `series_id`."""
    TIMESTAMP = "timestamp"
    """Not RFC 3339 with a zone, nor milliseconds since 1970; or the record itself has no time."""
    NON_FINITE = "non_finite"
    """NaN, an infinity, or a number that does not fit a 32-bit float. Missing values are null."""
    UNKNOWN_CHANNEL = "unknown_channel"
    """A value for a channel that the model does not have."""
    MISSING_CHANNEL = "missing_channel"
    """No value, not even null, for a channel of the model."""
    LATE = "late"
    """Older than the newest slot by more than the grace, or at all with `stream.late = reject`."""
    FUTURE = "future"
    """Further ahead of the record's Kafka timestamp than `stream.ahead_s`."""
    DUPLICATE = "duplicate"
    """Its `event_id` is among the last `stream.remembered_ids` of its series."""
    QUOTA = "quota"
    """It would begin a series beyond `stream.max_series` or `stream.new_series_per_s`."""


class TidecastError(Exception):
    """Root of the tree. The message says what happened and what to do next."""

    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = EXIT_CANNOT_CONTINUE


class SettingsError(TidecastError):
    """A setting is unknown, missing or out of range."""

    exit_code = 78


class BundleError(TidecastError):
    """A model bundle is damaged, forged, or does not fit the stream."""

    exit_code = 65


class DataError(TidecastError):
    """A file of observations, or a training set, cannot be used."""

    exit_code = 65


class MessageError(TidecastError):
    """One record cannot be used."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ServiceError(TidecastError):
    """An outside system does not answer."""

    retriable = True
    exit_code = 69


class KafkaError(ServiceError):
    """Kafka does not answer, or refused a call."""


class RedisError(ServiceError):
    """Redis does not answer, or refused a call."""


class LocalServerError(ServiceError):
    """An embedded server did not start."""

    retriable = False


class StateError(TidecastError):
    """What is stored contradicts the log; going on could lose or change a forecast."""


class FencedError(StateError):
    """A newer owner has claimed the partition: whoever sees this drops what it holds of it."""


class StoreLostError(StateError):
    """The store no longer holds the checkpoint that was written last: it was flushed or rolled
    back. Who holds the rows in memory writes them anew.
    """


class EpochError(StateError):
    """The state belongs to another epoch: of the stream's forecast ids, or of the group, whose
    generations Kafka counts from the start again once it has forgotten it.
    """


class LogMismatchError(StateError):
    """The log no longer holds what the checkpoint continues from."""


class GroupInUseError(StateError):
    """Workers of the group are running, and a command was to change the state under them."""


class WatchdogError(TidecastError):
    """A watchdog of the worker has seen that it stands still, or has grown beyond its limit."""


class WindowError(TidecastError):
    """A caller broke a rule of the window, such as a slot that is not newer."""
