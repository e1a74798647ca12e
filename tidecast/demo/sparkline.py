"""A series and its forecast drawn with block characters, in one line of text or in several.

    ▂▃▅▇▅▃▂▁▂▃▅▇╎▅─▂       filled: the past        ╎: now
    ███████▇████╎██▄       line: median of the forecast, on its band

Past and forecast share one scale, so a column is as high on the left as on the right.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
from rich.style import Style
from rich.text import Text

from tidecast.demo.trace import Band, FloatArray, Picture

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
EIGHTHS: Final = 8
"""Block characters divide a cell into so many levels."""
LINES: Final = "▁──▔"
"""The median within a cell: low, middle, high. Fonts agree on nothing finer."""
NOW: Final = "╎"
GAP: Final = "·"

PAST: Final = Style(color="#4fa3d1")
OUTSIDE: Final = Style(color="#ff6b6b")
FAINT: Final = Style(color="#5c6370")
BAND: Final = Style(color="#31473a")
BAND_UPPER: Final = Style(color="#31473a", reverse=True)
MEDIAN: Final = Style(color="#8fe388", bold=True)
MEDIAN_ON_BAND: Final = Style(color="#8fe388", bgcolor="#31473a", bold=True)

NARROWEST_PAST: Final = 8
"""Columns of the past that a narrow chart keeps, at the expense of the far end of the forecast."""

Cell = tuple[str, Style]
EMPTY: Final[Cell] = (" ", Style())


class Scale(NamedTuple):
    """Maps values, which fit a 32-bit float, to eighths of a line, 1 to `top`."""

    low: float
    high: float
    top: int

    @classmethod
    def of(cls, values: FloatArray, top: int) -> Scale:
        """The scale that the finite values just fill; constant ones lie half-way up."""
        finite = values[np.isfinite(values)]
        if not len(finite):
            return cls(0.0, 1.0, top)
        low, high = float(finite.min()), float(finite.max())
        if high > low:
            return cls(low, high, top)
        around = abs(low) or 1.0
        return cls(low - around, high + around, top)

    def level(self, value: float) -> int:
        """The eighth that a finite value reaches, at least 1, so that the lowest is seen too."""
        share = (value - self.low) / (self.high - self.low)
        return 1 + round(share * (self.top - 1))


def draw(picture: Picture, width: int, height: int) -> Text:
    """`height` lines of at most `width` columns, newest value beside the first lead."""
    past, ahead = _columns(picture.band, width)
    values, outside = picture.values[-past:], picture.outside[-past:]
    band = _first_leads(picture.band, ahead)
    seen = np.concatenate([values, *band])
    # The topmost eighth stays free, or the chart would touch the one above.
    scale = Scale.of(seen, EIGHTHS * height - 1)
    columns = [[EMPTY] * height] * (past - len(values))
    columns += [_past(scale, *column, height) for column in zip(values, outside, strict=True)]
    columns += [[(NOW, FAINT)] * height] * bool(ahead)
    columns += [_ahead(scale, Band(*lead), height) for lead in zip(*band, strict=True)]
    return Text("\n").join(_line(columns, row) for row in reversed(range(height)))


def _columns(band: Band | None, width: int) -> tuple[int, int]:
    """How many columns the past and the forecast get."""
    horizon = 0 if band is None else len(band.median)
    ahead = max(0, min(horizon, width // 2, width - 1 - NARROWEST_PAST))
    return max(1, width - ahead - bool(ahead)), ahead


def _first_leads(band: Band | None, count: int) -> Band:
    none = np.empty(0)
    return Band(none, none, none) if band is None else Band(*(part[:count] for part in band))


def _past(scale: Scale, value: float, outside: bool, height: int) -> list[Cell]:
    """One filled column, from the lowest line to the highest."""
    if not np.isfinite(value):
        return [(GAP, FAINT)] + [EMPTY] * (height - 1)
    style = OUTSIDE if outside else PAST
    filled = (_filled(scale.level(value), row) for row in range(height))
    return [(BLOCKS[eighths], style) if eighths else EMPTY for eighths in filled]


def _ahead(scale: Scale, band: Band, height: int) -> list[Cell]:
    """One column of the forecast, from the lowest line to the highest."""
    if not np.isfinite(band).all():
        return [(GAP, FAINT)] + [EMPTY] * (height - 1)
    low, median, high = (scale.level(float(level)) for level in band)
    return [_band_cell(low - 1, median, high, row) for row in range(height)]


def _band_cell(low: int, median: int, high: int, row: int) -> Cell:
    """low, high: the eighths between which the band lies. Half a cell of band colours it all."""
    bottom, top = _filled(low, row), _filled(high, row)
    if 0 < median - row * EIGHTHS <= EIGHTHS:
        glyph = LINES[(median - row * EIGHTHS - 1) * len(LINES) // EIGHTHS]
        return glyph, MEDIAN_ON_BAND if top - bottom >= EIGHTHS // 2 else MEDIAN
    if bottom == top:
        return EMPTY
    return (BLOCKS[bottom], BAND_UPPER) if bottom else (BLOCKS[top], BAND)


def _filled(level: int, row: int) -> int:
    """How many eighths of this line a column of that level fills."""
    return min(max(level - row * EIGHTHS, 0), EIGHTHS)


def _line(columns: list[list[Cell]], row: int) -> Text:
    """One line; neighbours of one style become one span."""
    line = Text()
    for style, cells in groupby((column[row] for column in columns), key=lambda cell: cell[1]):
        line.append("".join(character for character, _ in cells), style)
    return line
