"""Forecasts in Avro: the published schema, and the way back from its binary form.

The form is https://avro.apache.org/docs/1.12.0/specification/#binary-encoding, with no file and no
registry around it. The worker writes it in `stream/avro_forecasts.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final, Literal, TypeVar

from tidecast.errors import MessageError, Reason
from tidecast.messages import EPOCH, Forecast, Source, Status
from tidecast.varints import read_varint

ID_BYTES: Final = 16
STATUSES: Final = tuple(Status)
"""The symbols of the schema, in its order."""

Number = Literal["d", "f"]
"""A float of 64 or of 32 bits, as `struct` names them."""
NUMBER_BYTES: Final[dict[Number, int]] = {"d": 8, "f": 4}

T = TypeVar("T")


def forecast_schema() -> str:
    """The Avro schema of a forecast, as JSON."""
    return files("tidecast").joinpath("forecast.avsc").read_text(encoding="utf-8")


def decode_avro_forecast(data: bytes) -> Forecast:
    """The quantiles are the 32-bit floats that were sent. Raises MessageError."""
    try:
        return _forecast(_Reader(data))
    except (IndexError, ValueError, OverflowError, TypeError) as error:
        raise MessageError(Reason.SCHEMA, f"not a forecast in Avro: {error}") from error


class _Reader:
    """The values of a message, one after the other.

    Raises IndexError or ValueError where the data does not go on as the schema says.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def fixed(self, size: int) -> bytes:
        at, end = self._at, self._at + size
        if not at <= end <= len(self._data):
            raise ValueError(f"{size} bytes are announced, {len(self._data) - at} are there")
        self._at = end
        return self._data[at:end]

    def long(self) -> int:
        number, self._at = read_varint(self._data, self._at)
        return number

    def text(self) -> str:
        return self.fixed(self.long()).decode()

    def time(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.long())

    def symbol(self, symbols: tuple[T, ...]) -> T:
        index = self.long()
        if index < 0:
            raise ValueError(f"an enum has no symbol {index}")
        return symbols[index]

    def numbers(self, kind: Number) -> list[float]:
        found: list[float] = []
        while count := self._block():
            found += struct.unpack(f"<{count}{kind}", self.fixed(count * NUMBER_BYTES[kind]))
        return found

    def items(self, read: Callable[[], T]) -> list[T]:
        found: list[T] = []
        while count := self._block():
            found += [read() for _ in range(count)]
        return found

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} bytes follow the forecast")

    def _block(self) -> int:
        """How many items the next block of an array has; 0 behind the last one."""
        count = self.long()
        if count < 0:
            self.long()  # in bytes, for those who skip it
        return abs(count)


def _forecast(reader: _Reader) -> Forecast:
    # The order of the arguments is that of the schema.
    forecast = Forecast(
        forecast_id=reader.fixed(ID_BYTES).hex(),
        source=Source(partition=reader.long(), offset=reader.long()),
        model=reader.text(),
        model_version=reader.text(),
        series_id=reader.text(),
        origin=reader.time(),
        issued_at=reader.time(),
        step_seconds=reader.long(),
        target=reader.text(),
        lead=reader.long(),
        quantile_levels=reader.numbers("d"),
        quantiles=reader.items(lambda: reader.numbers("f")),
        classes=reader.items(reader.text),
        probabilities=reader.numbers("f"),
        status=reader.symbol(STATUSES),
    )
    reader.end()
    return forecast
