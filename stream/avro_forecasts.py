"""Forecasts to Avro: the numbers of a whole batch are copied in one pass."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from stream.forecast_columns import ForecastColumns, as_written, each_time
from stream.forecaster import Forecasts
from stream.grid import AnyArray
from tidecast.bundle import Manifest
from tidecast.forecast_avro import ID_BYTES
from tidecast.varints import varint, varints, varints_of

END: Final = b"\0"
"""Of an array: a block without items."""


class AvroForecasts:
    """Writes the forecasts of one model for one partition, by the schema `forecast.avsc`."""

    def __init__(self, manifest: Manifest, step_seconds: int, partition: int) -> None:
        model = _text(manifest.name) + _text(manifest.version)
        # What is left open: id, offset, series, origin, time of issue, and the block of numbers.
        self._form = b"%%b%b%%b%b%%b%%b%%b%%b" % (
            varint(partition).replace(b"%", b"%%"),
            model.replace(b"%", b"%%"),
        )
        self._manifest = manifest
        self._block = _block(manifest, step_seconds)

    def written(self, columns: ForecastColumns) -> list[bytes]:
        """The messages [N]."""
        series = [series_id.encode() for series_id in columns.series_ids]
        lengths = varints(list(map(len, series)))
        parts = zip(
            _slices(bytes.fromhex("".join(columns.forecast_ids)), ID_BYTES),
            varints_of(np.array(columns.offsets, np.int64)),
            [length + text for length, text in zip(lengths, series, strict=True)],
            each_time(columns.origins_ms, varints),
            each_time(columns.issued_ms, varints),
            self._blocks(columns.forecasts),
            strict=True,
        )
        return [self._form % part for part in parts]

    def _blocks(self, forecasts: Forecasts) -> list[bytes]:
        blocks = np.repeat(self._block, len(forecasts.statuses))
        numbers = as_written(forecasts.quantiles, self._manifest)
        blocks["rows"]["numbers"] = numbers.reshape(blocks["rows"]["numbers"].shape)
        blocks["status"] = forecasts.statuses * 2  # a varint of one byte
        return _slices(blocks.tobytes(), blocks.itemsize)


def _block(manifest: Manifest, step_seconds: int) -> AnyArray:
    """The end of a message, from `step_seconds` on, as an array of one record.

    All messages of a model have it at the same length: the numbers of the `rows`, which are levels,
    or a single one of probabilities, and `status` are to be set.
    """
    levels, classes = manifest.quantile_levels, manifest.classes
    before = [
        varint(step_seconds),
        _text(manifest.target),
        varint(manifest.lead),
        _array([struct.pack("<d", level) for level in levels]),
    ]
    if classes:
        before += [_array([]), _array([_text(name) for name in classes])]
        rows, numbers, after = 1, len(classes), b""
    else:
        before += [varint(len(levels))]
        rows, numbers, after = len(levels), manifest.horizon, END + _array([]) + _array([])
    head, count = b"".join(before), varint(numbers)
    row = [("count", f"V{len(count)}"), ("numbers", "<f4", (numbers,)), ("end", "u1")]
    fields = [("head", f"V{len(head)}"), ("rows", row, (rows,)), ("after", "u1", (len(after),))]
    block = np.zeros(1, [*fields, ("status", "u1")])
    block["head"] = np.void(head)
    block["rows"]["count"] = np.void(count)
    block["after"] = np.frombuffer(after, np.uint8)
    return block


def _array(items: list[bytes]) -> bytes:
    return varint(len(items)) + b"".join(items) + END if items else END


def _text(text: str) -> bytes:
    encoded = text.encode()
    return varint(len(encoded)) + encoded


def _slices(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
