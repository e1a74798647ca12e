"""What the worker needs of a Kafka record, whoever read it."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Record(Protocol):
    """One record of the events topic."""

    @property
    def offset(self) -> int:
        """Place in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """When the broker appended it, milliseconds since 1970: the worker's only clock."""
        ...

    @property
    def key(self) -> bytes | None:
        """The series id."""
        ...

    @property
    def value(self) -> bytes | None:
        """An `Observation` as JSON."""
        ...


class LoggedRecord(NamedTuple):
    """A record as it lies in the log."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Oversize(NamedTuple):
    """In the place of a record, or of a whole batch, that is too large to be read."""

    offset: int
    timestamp: int
    detail: str
    key: None = None
    value: None = None
