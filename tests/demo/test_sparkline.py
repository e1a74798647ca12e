"""Charts fill their space exactly, share one scale, and survive every odd series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len

from tidecast.demo.sparkline import GAP, NOW, OUTSIDE, draw
from tidecast.demo.trace import Band, FloatArray, Picture


def picture(values: FloatArray, band: Band | None = None) -> Picture:
    return Picture(values, np.zeros(len(values), bool), band, "ok")


def flat_band(low: float, median: float, high: float, horizon: int = 4) -> Band:
    return Band(*(np.full(horizon, level) for level in (low, median, high)))


def test_a_rising_line_rises() -> None:
    assert draw(picture(np.arange(1.0, 8.0)), 7, 1).plain == "▁▂▃▄▅▆▇"


def test_two_lines_have_twice_the_levels() -> None:
    top, bottom = draw(picture(np.arange(1.0, 16.0)), 15, 2).plain.split("\n")
    assert top == "        ▁▂▃▄▅▆▇"
    assert bottom == "▁▂▃▄▅▆▇████████"


def test_a_constant_series_lies_half_way_up() -> None:
    assert draw(picture(np.full(3, 5.0)), 3, 1).plain == "▄▄▄"


def test_missing_values_are_dots_and_an_empty_series_is_blank() -> None:
    assert draw(picture(np.array([1.0, np.nan, 2.0])), 3, 1).plain == f"▁{GAP}▇"
    assert draw(picture(np.full(3, np.nan)), 3, 1).plain == GAP * 3
    assert draw(picture(np.empty(0)), 3, 1).plain == "   "


def test_a_short_past_stands_at_the_right() -> None:
    assert draw(picture(np.array([1.0, 2.0])), 5, 1).plain == "   ▁▇"


def test_past_and_forecast_share_one_scale() -> None:
    # The past stays at 0 to 1, the forecast reaches 10: the past must look low.
    drawn = draw(picture(np.array([0.0, 1.0] * 5), flat_band(9.0, 9.5, 10.0)), 15, 1).plain
    past, ahead = drawn.split(NOW)
    assert set(past) <= {"▁", "▂"}
    assert ahead == "▔▔▔▔"


def test_the_median_lies_on_its_band() -> None:
    lines = draw(picture(np.array([0.0, 14.0]), flat_band(3.0, 7.0, 11.0)), 15, 2).plain.split("\n")
    ahead = [line.split(NOW)[1] for line in lines]
    assert ahead == ["▄▄▄▄", "▔▔▔▔"]


def test_values_outside_their_band_are_marked() -> None:
    values = np.array([1.0, 2.0, 3.0])
    drawn = draw(Picture(values, np.array([False, True, False]), None, "ok"), 3, 1)
    [marked] = [span for span in drawn.spans if span.style == OUTSIDE]
    assert (marked.start, marked.end) == (1, 2)


def test_a_narrow_chart_keeps_the_past_and_the_nearest_leads() -> None:
    ahead = draw(picture(np.arange(50.0), flat_band(1, 2, 3, horizon=24)), 12, 1).plain
    assert len(ahead) == 12
    assert ahead.index(NOW) == 8


@given(
    values=arrays(np.float32, st.integers(0, 40)),
    ahead=arrays(np.float32, st.tuples(st.just(3), st.integers(1, 24))),
    width=st.integers(1, 60),
    height=st.integers(1, 5),
)
def test_whatever_comes_the_space_is_filled_exactly(
    values: FloatArray, ahead: FloatArray, width: int, height: int
) -> None:
    band = Band(*np.sort(ahead, axis=0).astype(float))
    lines = draw(picture(values.astype(float), band), width, height).plain.split("\n")
    assert [cell_len(line) for line in lines] == [width] * height


@pytest.mark.parametrize("huge", [3.4e38, -3.4e38, 5e-324])
def test_extreme_values_do_not_overflow(huge: float) -> None:
    assert len(draw(picture(np.array([huge, 0.0, -huge])), 3, 1).plain) == 3
