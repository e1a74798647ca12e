from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.faults import guarantees
from bench.faults.campaign import Campaign, as_it_must_be, run
from bench.faults.catalogue import FAULTS
from bench.faults.command import chosen
from bench.faults.points import Load
from bench.faults.results import Results, row_of
from bench.faults.tables import as_json
from bench.faults.verdict import Found, Verdict
from bench.machine import conditions
from bench.processes import BenchError

CLEAN = Found(
    events=1000,
    lost=0,
    wrong=0,
    duplicates_raw=12,
    duplicates_read=0,
    out_of_order=0,
    rejected=3,
    windows_wrong=0,
)


def verdict(found: Found = CLEAN, *, settled: bool = True) -> Verdict:
    return Verdict(
        found=found,
        outage_s=4.25,
        catch_up_s=1.0,
        peak_memory_bytes=1,
        restarts=1,
        exits=[137],
        settled=settled,
    )


@pytest.fixture
def results(tmp_path: Path) -> Results:
    book = Results(tmp_path / "results.jsonl")
    for seed in (1, 2):
        book.append(row_of("worker-kill", seed, 1000, conditions(), verdict=verdict()))
    book.append(row_of("control-take", 1, 1000, conditions(), verdict=verdict()))
    book.append(row_of("kafka-cut", 1, 1000, conditions(), skipped="no network"))
    return book


def test_rows_come_back_as_they_were_written(results: Results) -> None:
    assert [(row.fault, row.seed) for row in results.rows()][:2] == [
        ("worker-kill", 1),
        ("worker-kill", 2),
    ]
    assert results.rows()[0].verdict == verdict()


def test_a_campaign_that_is_resumed_does_not_repeat_what_is_there(results: Results) -> None:
    campaign = Campaign([FAULTS["worker-kill"]], Load(), repeats=2, seed=1, resume=True)
    assert run(campaign, results, lambda _: None) == []


def test_the_json_has_a_row_for_each_repeat_that_was_run(results: Results) -> None:
    found = json.loads(as_json(results.rows()))
    assert [row["fault"] for row in found["rows"]] == ["worker-kill"] * 2 + ["control-take"]
    assert {"lost", "wrong", "duplicates_raw", "duplicates_read", "outage_s", "catch_up_s"} <= set(
        found["rows"][0]
    )
    assert found["skipped"] == {"kafka-cut": "no network"}


def test_the_page_adds_up_the_repeats_beside_the_bar(results: Results, tmp_path: Path) -> None:
    page = tmp_path / "guarantees.md"
    guarantees.write(results.rows(), "two at a time", page)
    text = page.read_text()
    assert (
        "| SIGKILL of one of two at a random moment | 2 | 2,000 | 0 | 0 | 24 | 0 | 4.2 (4.2) |"
        in text
    )
    assert "Not run: refused for 5 s: no network" in text
    assert "- two at a time" in text
    assert "## Negative controls" in text


def test_without_results_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no results"):
        guarantees.write([], page=tmp_path / "guarantees.md")


def test_a_control_must_be_found_broken_and_a_fault_must_not() -> None:
    lost = verdict(Found(**{**{f: getattr(CLEAN, f) for f in CLEAN.__struct_fields__}, "lost": 1}))
    fault, control = FAULTS["worker-kill"], FAULTS["control-take"]
    assert as_it_must_be(fault, verdict())
    assert not as_it_must_be(fault, lost)
    assert not as_it_must_be(fault, verdict(settled=False))
    assert as_it_must_be(control, lost)
    assert not as_it_must_be(control, verdict(settled=False))


def test_faults_are_chosen_by_name_and_by_group() -> None:
    assert len(chosen([])) == len(FAULTS)
    assert {fault.name for fault in chosen(["mix", "kafka-cut"])} == {"mix", "kafka-cut"}
    with pytest.raises(BenchError, match="no fault kafka-explodes; there are"):
        chosen(["kafka-explodes"])
