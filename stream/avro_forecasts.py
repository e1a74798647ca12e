"""Forecasts to Avro: the numbers of a whole batch are copied in one pass."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from stream.forecast_columns import ForecastColumns, each_time
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
        blocks["quantiles"]["numbers"] = forecasts.quantiles.transpose(0, 2, 1)
        blocks["status"] = forecasts.statuses * 2  # a varint of one byte
        return _slices(blocks.tobytes(), blocks.itemsize)


def _block(manifest: Manifest, step_seconds: int) -> AnyArray:
    """The end of a message, from `step_seconds` on, as an array of one record.

    All messages of a model have it at the same length: `quantiles` and `status` are to be set.
    """
    levels, horizon = manifest.quantile_levels, manifest.horizon
    head = b"".join(
        [
            varint(step_seconds),
            _text(manifest.target),
            varint(len(levels)),
            struct.pack(f"<{len(levels)}d", *levels),
            END,
            varint(len(levels)),
        ]
    )
    count = varint(horizon)
    row = [("count", f"V{len(count)}"), ("numbers", "<f4", (horizon,)), ("end", "u1")]
    fields = [("head", f"V{len(head)}"), ("quantiles", row, (len(levels),)), ("end", "u1")]
    block = np.zeros(1, [*fields, ("status", "u1")])
    block["head"] = np.void(head)
    block["quantiles"]["count"] = np.void(count)
    return block


def _text(text: str) -> bytes:
    encoded = text.encode()
    return varint(len(encoded)) + encoded


def _slices(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
