"""The pictures of the benches: what is in them, and that they can be drawn."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bench.charts import draw
from bench.machine import conditions
from bench.pictures import Bars, bars
from bench.report import Case, Figure, Result
from bench.statistics import Spread

PER_S = "forecasts per second"


def result(bench: str, figures: list[Figure], cases: list[Case]) -> Result:
    return Result(bench, "How fast?", {}, figures, {}, conditions(), cases)


def test_a_bar_for_each_figure_is_named_by_what_the_axis_does_not_say() -> None:
    figures = [
        Figure("empty_first_s", "no state: first forecast, s", [3.0, 1.0, 2.0]),
        Figure("empty_all_s", "no state: every partition, s", [4.0]),
    ]
    (panel,) = bars(result("start", figures, []))
    assert panel.labels == ["no state: first forecast", "no state: every partition"]
    assert panel.groups == {"": [(2, 1, 3), (4, 4, 4)]}


def test_peers_have_bars_beside_ours_those_that_were_run() -> None:
    found = replace(
        result("throughput", [Figure("forecasts_per_s", PER_S, [4.0])], []),
        peers=[
            Case({}, "Quix Streams", [Figure("forecasts_per_s", "forecasts/s", [1.0])]),
            Case({}, "Flink", [], note="not run: no JDK"),
        ],
    )
    panel = bars(found)[0]
    assert panel.labels == ["Tidecast", "Quix Streams"]
    assert panel.groups == {"": [(4, 4, 4), (1, 1, 1)]}
    assert panel.axis == PER_S


def test_cases_are_labels_and_their_figures_are_colours() -> None:
    cases = [
        Case(
            {"bundle": name},
            name,
            [Figure(f"batch_{size}_us", f"batch of {size}, µs per row", [us]) for size in (1, 64)],
        )
        for name, us in (("gru/1", 4.0), ("lstm/1", 6.0))
    ]
    (panel,) = bars(result("models", [], cases))
    assert panel.labels == ["gru/1", "lstm/1"]
    assert panel.groups == {
        "batch of 1": [(4, 4, 4), (6, 6, 6)],
        "batch of 64": [(4, 4, 4), (6, 6, 6)],
    }


def test_peers_beside_cases_are_labels_too_those_with_figures() -> None:
    key = {"events_per_s": 100}
    figures = [Figure("p50_ms", "p50, ms", [4.0]), Figure("system_busy", "system, cores", [0.5])]
    found = replace(
        result("latency --peer all", [], [Case(key, "Tidecast", figures)]),
        peers=[Case(key, "Faust", figures), Case(key, "Flink", [], note="not run: no JDK")],
    )
    latencies, cores = bars(found)
    assert latencies.labels == cores.labels == ["Tidecast", "Faust"]
    assert latencies.groups == {"p50": [(4, 4, 4), (4, 4, 4)]}
    assert list(cores.groups) == ["system"]


def test_a_bench_of_another_page_has_no_picture() -> None:
    assert bars(result("recovery", [Figure("ready_s", "s", [1.0])], [])) == []


@pytest.mark.parametrize("log", [False, True])
def test_a_picture_says_its_labels_groups_unit_and_medians(log: bool) -> None:
    spreads = [Spread(2.0, 1.0, 30.0)] * 2
    panel = Bars("milliseconds", ["100/s", "1,000/s"], {"p50": spreads, "p99": spreads}, log)
    texts = {element.text for element in ET.fromstring(draw([panel, panel])).iter()}
    assert {"milliseconds", "100/s", "1,000/s", "p50", "p99", "2"} <= texts


def test_equal_results_give_equal_pictures() -> None:
    panels = bars(result("publish", [Figure("events_per_s", "x", [2.0])], []))
    assert draw(panels) == draw(panels)
