"""Numbers as people read them: three or four digits, with a prefix when they are large."""

from __future__ import annotations

import math
from typing import Final

PREFIXES: Final = ("", "k", "M", "G", "T", "P", "E")
SCALED: Final = ("B/s", "/s")
"""Units that take a prefix; 1,200 % is not 1.2 k%."""


def quantity(value: float | None, unit: str) -> str:
    """A number and its unit in at most 11 columns; a dash when there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    divisor, prefix = _scale(value, unit)
    return f"{_number(value / divisor)} {prefix}{unit}".rstrip()


def interval(low: float, high: float, unit: str) -> str:
    """Two numbers of one unit and one prefix."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    divisor, prefix = _scale(max(abs(low), abs(high)), unit)
    return f"{_number(low / divisor)} … {_number(high / divisor)} {prefix}{unit}".rstrip()


def count(number: int, noun: str) -> str:
    """`1 forecast`, `1,204 forecasts`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _scale(value: float, unit: str) -> tuple[float, str]:
    """What to divide by, and the prefix that stands for it."""
    if unit not in SCALED or abs(value) < 1000:
        return 1.0, ""
    thousands = min(int(math.log10(abs(value)) / 3), len(PREFIXES) - 1)
    return 1000.0**thousands, PREFIXES[thousands]


def _number(value: float) -> str:
    """Enough digits for a glance; 0 has no sign."""
    if abs(value) >= 100_000:
        return f"{value:.3g}"
    decimals = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
