"""Varints against a plain writer of the published rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidecast.varints import KEPT, read_varint, varint, varints, varints_of

LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-KEPT, 2 * KEPT)


def plainly(number: int) -> bytes:
    rest = number << 1 if number >= 0 else ~(number << 1)
    written = bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*written, rest])


@given(st.lists(LONGS))
def test_numbers_are_written_by_the_rule(numbers: list[int]) -> None:
    expected = [plainly(number) for number in numbers]
    assert varints(numbers) == expected
    assert varints_of(np.array(numbers, np.int64)) == expected
    assert [varint(number) for number in numbers] == expected


@given(LONGS, st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_reads_back_wherever_it_is(number: int, before: bytes, behind: bytes) -> None:
    end = len(before) + len(varint(number))
    assert read_varint(before + varint(number) + behind, len(before)) == (number, end)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", IndexError),
        (b"\x80", IndexError),
        (b"\x80" * 50 + b"\1", ValueError),
        (b"\xff" * 9 + b"\x7f", ValueError),
    ],
)
def test_what_is_no_number_of_64_bits_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_varint(data, 0)
