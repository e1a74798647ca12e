"""Whole numbers as Kafka's records and Avro write them: zigzag, then base 128.

As in Protocol Buffers, small numbers of both signs are short: seven bits a byte, lowest first, the
eighth set in all but the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST: Final = 10
"""Bytes that 64 bits take at most."""

_SHIFTS: Final = np.arange(0, 7 * LONGEST, 7, dtype=np.uint64)


def varint(number: int) -> bytes:
    """One number."""
    return varints([number])[0]


def varints(numbers: Sequence[int]) -> list[bytes]:
    """Each of the numbers; quickest where all of them are small."""
    try:
        return list(map(_SMALL.__getitem__, numbers))
    except KeyError:
        return varints_of(np.array(numbers, np.int64))


def varints_of(numbers: NDArray[np.int64]) -> list[bytes]:
    """Each of the numbers [N], in one pass."""
    zigzag = ((numbers << 1) ^ (numbers >> 63)).astype(np.uint64)
    groups = zigzag[:, None] >> _SHIFTS
    lengths = np.maximum(np.count_nonzero(groups, axis=1), 1)
    more = np.arange(1, LONGEST + 1) < lengths[:, None]
    low = (groups & np.uint64(0x7F)).astype(np.uint8)
    text = (low | more.astype(np.uint8) << 7).tobytes()
    starts = range(0, len(text), LONGEST)
    return [
        text[start : start + length] for start, length in zip(starts, lengths.tolist(), strict=True)
    ]


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it.

    Raises IndexError when the data ends before it does, ValueError when it has over 64 bits.
    """
    byte = data[at]
    if byte <= 0x7F:  # as nearly always
        return (byte >> 1) ^ -(byte & 1), at + 1
    zigzag, shift = byte & 0x7F, 7
    while byte > 0x7F:
        if shift == 7 * LONGEST:
            raise ValueError(f"a number of more than {LONGEST} bytes")
        at += 1
        byte = data[at]
        zigzag |= (byte & 0x7F) << shift
        shift += 7
    if zigzag >> 64:
        raise ValueError("a number of more than 64 bits")
    return (zigzag >> 1) ^ -(zigzag & 1), at + 1


KEPT: Final = 8192
_SMALL: Final = dict(enumerate(varints_of(np.arange(KEPT, dtype=np.int64))))
"""Those that a batch is full of, ready-made."""
