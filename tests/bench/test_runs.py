"""Tiny runs on the real servers: the JSON's form, and that the benches hold counts to be exact."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import (
    latency,
    latency_beside,
    models,
    publishing,
    series,
    stages,
    start,
    subscribing,
    throughput,
    workers,
)
from bench.jobs import SHIPPED, Job
from bench.latency_beside import Tried
from bench.line import STAGES
from bench.pacing import BULK_RATE, Pace
from bench.peers.contest import entrant
from bench.peers.registry import Peer
from bench.processes import BenchError, Program
from bench.report import as_json
from bench.statistics import PERCENTILES
from bench.steady import Place
from bench.systems import peer_system
from tidecast.local import LocalServers


def test_throughput_races_the_worker_and_stock_faust(servers: LocalServers, tmp_path: Path) -> None:
    load = throughput.Load(Job.THROUGHPUT, events=6_000, series=100, peer_events=1_000, repeats=1)
    found = json.loads(as_json(throughput.measure(servers, load, tmp_path)))
    assert found["forecasts_per_s"] > 0
    (peer,) = found["peers"]
    assert (peer["name"], peer["events"]) == ("stock-faust", 1_000)
    assert peer["forecasts_per_s"] > 0
    assert peer["ratio"] > 1
    assert found["cpu_s_per_million"] > 0
    assert found["peak_mb"] > 50
    assert found["checked"] == {"distinct forecasts": 6_000, "rejected": 0, "windows saved": 100}


def test_latency_counts_from_the_schedule_and_from_the_call(
    servers: LocalServers, tmp_path: Path
) -> None:
    load = latency.Load(rates=(200, BULK_RATE), seconds=1, series=50, warm_s=1, backlog=70)
    found = json.loads(as_json(latency.measure(servers, load, tmp_path)))
    assert found["checked"] == {"forecasts": 400 + 20_000, "lost": 0, "repeats": 0}
    assert [case["publisher"] for case in found["cases"]] == ["Publisher", "BulkPublisher"]
    for case in found["cases"]:
        for name in PERCENTILES:
            # A call is never made before its time.
            assert 0 < case[f"call_{name}_ms"] <= case[f"{name}_ms"]
        assert case["p50_ms"] <= case["p99_ms"] <= case["max_ms"]
        assert all(case[f"{name}_busy"] > 0 for name in ("publisher", "system", "reader"))


def test_latency_has_a_row_for_each_system_between_the_same_ends_and_for_none(
    servers: LocalServers, tmp_path: Path
) -> None:
    load = latency.Load(rates=(100,), seconds=1, series=50, warm_s=1, backlog=70)
    found = json.loads(as_json(latency_beside.measure(servers, load, ["stock-faust"], tmp_path)))
    assert found["checked"] == {"forecasts": 200, "lost": 0, "repeats": 0}
    assert [(case["name"], case["clients"]) for case in found["cases"]] == [
        ("floor", "librdkafka"),
        ("tidecast", "librdkafka"),
        ("tidecast", "tidecast"),
    ]
    (peer,) = found["peers"]
    assert (peer["name"], peer["events_per_s"]) == ("stock-faust", 100)
    assert peer["clients"] == "librdkafka"
    for row in [*found["cases"], peer]:
        assert 0 < row["p50_ms"] <= row["p99_9_ms"] <= row["max_ms"]
        assert row["publisher_busy"] > 0
        assert row["kafka_busy"] > 0
        assert (row["system_busy"] > 0) == (row["name"] != "floor")


def test_a_peer_that_ends_is_a_row_without_figures_and_is_not_tried_again(
    servers: LocalServers, tmp_path: Path
) -> None:
    peer = Peer("quitter", "Quitter", "1", "C", "none", lambda: ("false",))
    pace = Pace(rate=100, seconds=1, series=5, warm_s=1, backlog=5)
    tried = Tried(peer_system(entrant(peer)))
    for _ in range(2):
        tried.once_more(Place(servers, SHIPPED, tmp_path), pace)
    assert tried.runs == []
    assert "the program under test ended" in latency_beside.row(pace, tried).note


def test_stages_are_timed_by_size_of_batches_and_add_up(servers: LocalServers) -> None:
    found = json.loads(as_json(stages.measure(servers, stages.Load(4_000, 40, repeats=1))))
    small, middle, large = found["cases"]
    assert [case["most_events_a_batch"] for case in found["cases"]] == [2, 256, 4_096]
    assert small["events_a_batch"] <= 2 < middle["events_a_batch"] <= 256
    assert 256 < large["events_a_batch"] == found["checked"]["events"]
    for case in found["cases"]:
        for kind in ("", "_wall"):
            each = [case[f"{stage}{kind}_us"] for stage in STAGES]
            # `place` is what is left of another time, which a disturbance may make negative.
            assert all(case[f"{stage}{kind}_us"] > 0 for stage in STAGES if stage != "place")
            assert case[f"sum{kind}_us"] == pytest.approx(sum(each), rel=1e-4)
            assert case[f"whole{kind}_us"] > case[f"fetch{kind}_us"]
    assert found["variable_us_per_event"] + found["fixed_us_per_batch"] / small[
        "events_a_batch"
    ] == pytest.approx(small["sum_us"], rel=1e-3)


def test_stages_are_compared_between_sizes_of_batches(servers: LocalServers) -> None:
    with pytest.raises(BenchError, match="give more events"):
        stages.measure(servers, stages.Load(400, 40, repeats=1, batches=(256, 4_096)))


def test_publish_counts_what_kafka_holds(servers: LocalServers, tmp_path: Path) -> None:
    load = publishing.Load(events=4_000, series=40, repeats=1)
    found = json.loads(as_json(publishing.measure(servers, load, tmp_path)))
    assert found["events_per_s"] > 0
    assert found["checked"] == {"events": 4_000}


def test_subscribe_counts_the_lines(servers: LocalServers, tmp_path: Path) -> None:
    load = subscribing.Load(forecasts=8_000, series=40, repeats=1)
    found = json.loads(as_json(subscribing.measure(servers, load, tmp_path)))
    assert found["forecasts_per_s"] > 0
    assert found["checked"] == {"lines": 8_000}


def test_subscribe_is_not_timed_on_what_one_poll_brings(
    servers: LocalServers, tmp_path: Path
) -> None:
    with pytest.raises(BenchError, match="give many more"):
        subscribing.measure(servers, subscribing.Load(forecasts=100), tmp_path)


def test_workers_are_compared_with_the_servers_time_beside(
    servers: LocalServers, tmp_path: Path
) -> None:
    load = workers.Load(events=20_000, series=100, repeats=1)
    found = json.loads(as_json(workers.measure(servers, load, tmp_path)))
    assert [case["workers"] for case in found["cases"]] == [1, 2]
    for case in found["cases"]:
        assert case["forecasts_per_s"] > 0
        assert case["workers_cpu_s_per_million"] > 0
        assert case["kafka_cpu_s_per_million"] > 0
        assert case["busy_cores"] > 0
    rates = [case["forecasts_per_s"] for case in found["cases"]]
    assert found["ratio"] == pytest.approx(rates[1] / rates[0], rel=1e-3)


def test_series_cost_processor_time_and_memory(servers: LocalServers, tmp_path: Path) -> None:
    load = series.Load(sizes=(4_000, 100), least_events=6_000)
    found = json.loads(as_json(series.measure(servers, load, tmp_path)))
    assert [case["series"] for case in found["cases"]] == [100, 4_000]
    # The first slot of each size, 60 slots of 100 series, two slots of 4,000.
    assert found["checked"] == {"events": 100 + 6_000 + 4_000 + 8_000, "series": 4_100}
    assert found["cost_ratio"] > 0
    assert found["base_mb"] > 50
    assert 500 < found["redis_bytes_per_series"] < 5_000
    assert found["worker_bytes_per_series"] > 500


def test_series_are_compared_between_sizes(servers: LocalServers, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="at least two"):
        series.measure(servers, series.Load(sizes=(100, 100)), tmp_path)


def test_start_is_timed_without_state_and_with(servers: LocalServers, tmp_path: Path) -> None:
    load = start.Load(stored=2_000, repeats=1)
    found = json.loads(as_json(start.measure(servers, load, tmp_path)))
    for state in ("empty", "stored"):
        assert 0 < found[f"{state}_first_s"] <= found[f"{state}_all_s"]
        assert found[f"{state}_cpu_s"] > 0


def test_models_are_timed_at_every_batch_size() -> None:
    found = json.loads(as_json(models.measure(models.Load(rows=300, repeats=1))))
    assert {"general-gru/1", "general-lstm/1"} <= {case["bundle"] for case in found["cases"]}
    for case in found["cases"]:
        assert all(case[f"batch_{batch}_us"] > 0 for batch in models.BATCHES)


def test_a_program_that_has_ended_before_it_is_looked_at_gives_no_figure(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("no bundle\n")
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with pytest.raises(BenchError, match="ended: no bundle"):
        Program(ended.pid, log)
