"""The page fits any terminal and shows what it is given."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from tidecast.bundle import Channel, Manifest
from tidecast.demo.board import Facts, Frame, Totals
from tidecast.demo.show import in_words, save_picture
from tidecast.demo.trace import Band, Picture
from tidecast.demo.view import Page
from tidecast.errors import DataError

TOTALS = Totals(1204, 1200, 3, 1, 0, {"p50": 6.1, "p99": 14.9})
MANIFEST = Manifest(
    name="general-gru",
    version="1",
    task="forecast",
    graph_sha256="0" * 64,
    graph_bytes=1,
    opset=18,
    step_seconds=None,
    context=96,
    horizon=24,
    channels=(Channel("value"),),
    target="value",
    quantile_levels=(0.1, 0.5, 0.9),
    state_size=0,
    created="2026-11-21T00:00:00Z",
    data_sha256="0" * 64,
    data_licence="none",
    training={},
    figures={},
    tools={},
)


def facts(*series: str) -> Facts:
    return Facts("a test", MANIFEST, 1, dict.fromkeys(series, "%"), {"Kafka": "127.0.0.1:9092"})


def frame(*series: str) -> Frame:
    leads = np.arange(24.0)
    band = Band(leads + 40, leads + 50, leads + 60)
    picture = Picture(np.arange(100.0), np.zeros(100, bool), band, "ok")
    return Frame(83.0, 14.0, 13.9, TOTALS, 1000, 812, dict.fromkeys(series, picture))


def shown(width: int, height: int, *series: str, page: Page | None = None) -> list[str]:
    console = Console(width=width, height=height, file=StringIO(), record=True)
    console.print(page or Page(facts(*series), frame(*series)))
    return console.export_text().splitlines()


@pytest.mark.parametrize(("width", "height"), [(60, 12), (80, 24), (120, 45), (300, 90)])
def test_the_page_fits_the_terminal(width: int, height: int) -> None:
    names = [f"machine/{n}" for n in range(13)]
    lines = shown(width, height, *names)
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


def test_wide_characters_in_a_name_are_cut_to_their_column() -> None:
    lines = shown(80, 24, "工場/" + "電力" * 30, "machine/cpu")
    assert max(cell_len(line) for line in lines) <= 80


def test_the_header_has_the_figures_and_a_row_has_value_status_and_band() -> None:
    text = "\n".join(shown(120, 30, "machine/cpu"))
    for part in (
        "13.9/s",
        "6.1 ms",
        "14.9 ms",
        "1,200",
        "81% of 1,000",
        "general-gru 1",
        "0:01:23",
    ):
        assert part in text
    for part in ("machine/cpu", "99.0 %", "ok", "10–90 %", "40.0 … 60.0 %", "127.0.0.1:9092"):
        assert part in text


def test_series_that_do_not_fit_are_mentioned() -> None:
    lines = shown(80, 24, *(f"s{n}" for n in range(100)))
    assert "92 more series" in lines[-1]


def test_before_anything_has_come_there_are_dashes() -> None:
    empty = Picture(np.empty(0), np.empty(0, bool), None, "")
    nothing = Totals(0, 0, 0, 0, 0, {"p50": None, "p99": None})
    start = Frame(0.0, 0.0, 0.0, nothing, 0, 0, {"machine/cpu": empty})
    text = "\n".join(shown(100, 24, page=Page(facts("machine/cpu"), start)))
    assert "waiting" in text
    assert "latency p50 –" in text


def test_the_result_in_words() -> None:
    assert in_words(TOTALS) == (
        "1,204 events, 1,200 forecasts, 3 rejected, 1 lost, 0 twice; "
        "latency p50 6.1 ms, p99 14.9 ms"
    )


def test_a_picture_is_an_svg_that_loads_nothing(tmp_path: Path) -> None:
    file = tmp_path / "demo.svg"
    save_picture(facts("machine/cpu"), frame("machine/cpu"), file)
    assert ET.parse(file).getroot().tag.endswith("svg")
    assert "@font-face" not in file.read_text()


def test_a_picture_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write the picture"):
        save_picture(facts(), frame(), tmp_path / "no" / "demo.svg")
