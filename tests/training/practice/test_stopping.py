from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.practice.stopping import StoppingConfig, waits


@pytest.mark.parametrize(
    ("losses", "stops"),
    [
        ([], False),
        ([3.0], False),
        ([3.0, 3.0, 3.0], False),
        ([3.0, 3.0, 3.0, 3.0], True),
        ([3.0, 4.0, 4.0, 2.0, 4.0, 4.0], False),
        ([math.nan, math.nan, math.inf], True),
        ([-1.0, -2.0, -3.0, -3.5], False),
    ],
)
def test_a_fit_stops_when_patience_runs_out(losses: list[float], stops: bool) -> None:
    assert StoppingConfig(patience=3).stops(losses) == stops


def test_less_than_the_least_progress_is_none() -> None:
    losses = [100.0, 99.5, 99.2, 98.0]
    assert list(waits(losses, 0.01)) == [0, 1, 2, 0]
    assert list(waits([-100.0, -100.5, -102.0], 0.01)) == [0, 1, 0]


@given(st.lists(st.floats(), max_size=40))
def test_a_wait_is_counted_from_the_first_best(losses: list[float]) -> None:
    finite = [(loss, place) for place, loss in enumerate(losses) if loss < math.inf]
    first = min(finite)[1] if finite else -1
    assert list(waits(losses, 0.0))[-1:] == [len(losses) - 1 - first][: len(losses)]
