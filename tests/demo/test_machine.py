"""The metrics of this machine: finite, in their ranges, and rates that survive odd counters."""

from __future__ import annotations

import math

import pytest

from tidecast.demo.machine import UNITS, Machine, Rate


def test_every_series_has_a_unit_and_a_finite_reading() -> None:
    machine = Machine()
    readings = machine.read()
    assert list(readings) == list(machine.units)
    assert len(readings) >= 5
    assert all(value is not None and math.isfinite(value) for value in readings.values())
    assert set(machine.units.values()) <= set(UNITS.values())


def test_percentages_are_percentages_and_rates_are_not_negative() -> None:
    machine = Machine()
    readings = machine.read()
    for name, unit in machine.units.items():
        value = readings[name]
        assert value is not None
        assert 0 <= value <= (100 if unit == "%" else math.inf)


def test_a_rate_is_growth_over_time() -> None:
    rate = Rate()
    assert rate.update(100, 10.0) is None
    assert rate.update(150, 12.0) == 25.0
    assert rate.update(150, 13.0) == 0.0


@pytest.mark.parametrize("odd", [None, 40.0])
def test_a_missing_or_reset_counter_gives_no_rate_once(odd: float | None) -> None:
    rate = Rate()
    rate.update(100, 10.0)
    assert rate.update(odd, 11.0) is None
    rate.update(50, 12.0)
    assert rate.update(60, 13.0) == 10.0


def test_a_clock_that_stands_still_gives_no_rate() -> None:
    rate = Rate()
    rate.update(100, 10.0)
    assert rate.update(110, 10.0) is None
