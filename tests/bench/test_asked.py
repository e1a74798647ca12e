"""The bars, and what results say of them."""

from __future__ import annotations

from bench.asked import ASKED, asked
from bench.machine import conditions
from bench.report import RATE, Case, Figure, Result
from bench.suite import BENCHES


def result(bench: str, *figures: Figure, cases: tuple[Case, ...] = ()) -> Result:
    return Result(bench, "How fast?", {}, list(figures), {}, conditions(), cases=cases)


def test_every_bar_is_for_a_bench_of_the_page() -> None:
    assert {one.bench for one in ASKED} <= set(BENCHES)


def test_a_bar_is_met_by_the_median_or_said_to_be_short() -> None:
    reading = Figure("forecasts_per_s", "forecasts per second", [90_000.0, 50_000.0, 200_000.0])
    start = Figure("empty_first_s", "first forecast, s", [3.0, 2.5, 9.0], 2)
    assert asked([result("subscribe", reading), result("start", start)]).rows == [
        ["start to first forecast, s", "at most 3", "3.00", "met"],
        [
            "`tidecast subscribe --json`, a second",
            "at least 100,000",
            "90,000",
            "short: 0.90 times that",
        ],
    ]


def test_a_bar_of_a_case_looks_at_that_case_alone() -> None:
    cases = tuple(
        Case(
            {RATE: rate, "publisher": "any"}, f"{rate}/s", [Figure("p99_ms", "p99, ms", [value], 1)]
        )
        for rate, value in ((100, 3.0), (20_000, 50.0))
    )
    assert asked([result("latency", cases=cases)]).rows == [
        ["p99 at 20,000 events/s, ms", "at most 40", "50.0", "short: 1.25 times that"]
    ]


def test_what_has_no_figure_has_no_line() -> None:
    cases = (Case({"name": "flink"}, "Flink", (), note="not run: no JDK"),)
    assert asked([result("peers", cases=cases)]).rows == []
