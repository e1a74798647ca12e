"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from tidecast.demo.quantities import count, interval, quantity


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "%", "0.00 %"),
        (-0.001, "%", "0.00 %"),
        (3.14159, "", "3.14"),
        (41.26, "%", "41.3 %"),
        (1234.5, "%", "1234 %"),
        (1234.5, "B/s", "1.23 kB/s"),
        (999_000.0, "B/s", "999.0 kB/s"),
        (4_050_000.0, "B/s", "4.05 MB/s"),
        (3e21, "B/s", "3000 EB/s"),
        (-169_100.0, "B/s", "-169.1 kB/s"),
        (1.5e30, "", "1.5e+30"),
        (None, "%", "–"),
        (math.nan, "B/s", "–"),
        (math.inf, "", "–"),
    ],
)
def test_a_quantity(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_an_interval_has_one_unit_and_one_prefix() -> None:
    assert interval(-4900.0, 38_900.0, "B/s") == "-4.90 … 38.9 kB/s"
    assert interval(85.8, 96.6, "%") == "85.8 … 96.6 %"
    assert interval(math.nan, 1.0, "%") == "–"


def test_a_count_has_its_plural() -> None:
    assert count(1, "event") == "1 event"
    assert count(1204, "event") == "1,204 events"
