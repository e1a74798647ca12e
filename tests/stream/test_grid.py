"""Slots and rounds against the plain formula and a plain loop."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.grid import rounds, slots_of

STEPS = st.sampled_from([1, 7, 60, 3600, 86_400])


@given(st.lists(st.integers(-(10**14), 10**14)), STEPS)
def test_a_slot_is_the_timestamp_over_the_step_rounded_down(times: list[int], step: int) -> None:
    slots = slots_of(np.array(times, np.int64), step)
    assert slots.tolist() == [floor(Fraction(time, step * 1000)) for time in times]


@pytest.mark.parametrize(
    ("time_ms", "slot"), [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)]
)
def test_slots_before_1970_are_negative(time_ms: int, slot: int) -> None:
    assert slots_of(np.array([time_ms]), 1).tolist() == [slot]


@given(st.lists(st.integers(0, 12), max_size=60))
def test_the_nth_round_holds_every_series_nth_event(rows: list[int]) -> None:
    found = [turn.tolist() for turn in rounds(np.array(rows, np.int64))]
    seen: dict[int, int] = {}
    expected: list[list[int]] = []
    for position, row in enumerate(rows):
        turn = seen.setdefault(row, 0)
        seen[row] += 1
        if turn == len(expected):
            expected.append([])
        expected[turn].append(position)
    assert found == expected
