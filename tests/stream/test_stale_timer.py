"""The timer, on a clock of the test's own."""

from __future__ import annotations

import pytest

from stream.stale_timer import StaleTimer


class Clock:
    """Goes on when somebody waits; ends the test at the given time."""

    def __init__(self, now_s: float, end_s: float) -> None:
        self.now_s, self.end_s = now_s, end_s

    def __call__(self) -> float:
        return self.now_s

    async def pause(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s > self.end_s:
            raise TimeoutError


@pytest.mark.parametrize(
    ("step_seconds", "ticks"),
    [
        (1, [101, 102, 103, 104, 105]),
        (4, [104]),
        (60, [110.5, 120, 130, 140, 150, 160, 170, 180]),
    ],
)
async def test_it_goes_off_at_the_start_of_each_slot_and_now_and_then_within_a_long_one(
    step_seconds: int, ticks: list[float]
) -> None:
    clock = Clock(100.5, ticks[-1] + 0.5)
    went_off = []

    async def forecast(now_ms: int) -> None:
        went_off.append(now_ms / 1000)

    with pytest.raises(TimeoutError):
        await StaleTimer(step_seconds, forecast, clock, clock.pause).run()
    assert went_off == ticks
