"""Tiny runs on the real servers: the JSON's form, and that the benches hold counts to be exact."""

from __future__ import annotations

import json
from pathlib import Path

from bench import latency, publishing, stages, throughput
from bench.report import as_json
from bench.statistics import PERCENTILES
from tidecast.local import LocalServers


def test_throughput_races_the_worker_and_stock_faust(servers: LocalServers, tmp_path: Path) -> None:
    load = throughput.Load(events=6_000, series=100, peer_events=1_000, repeats=1)
    found = json.loads(as_json(throughput.measure(servers, load, tmp_path)))
    assert found["forecasts_per_s"] > 0
    (peer,) = found["peers"]
    assert (peer["name"], peer["events"]) == ("stock-faust", 1_000)
    assert peer["forecasts_per_s"] > 0
    assert peer["ratio"] > 1
    assert found["worker_cpu_s_per_million"] > 0
    assert found["worker_peak_mb"] > 50
    assert found["checked"] == {"distinct forecasts": 6_000, "rejected": 0, "windows saved": 100}


def test_latency_counts_from_the_schedule_and_from_the_call(
    servers: LocalServers, tmp_path: Path
) -> None:
    pace = latency.Pace(rate=200, seconds=2, series=50, warm_s=1)
    found = json.loads(as_json(latency.measure(servers, pace, tmp_path)))
    assert found["checked"] == {"forecasts": 600, "lost": 0, "repeats": 0}
    for name in PERCENTILES:
        # A call is never made before its time.
        assert 0 < found[f"call_{name}_ms"] <= found[f"{name}_ms"]
    assert found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]


def test_stages_time_every_stage_of_the_worker(servers: LocalServers) -> None:
    found = json.loads(as_json(stages.measure(servers, stages.Load(4_000, 40, repeats=1))))
    assert found["checked"]["events"] > 0
    assert all(found[f"{stage}_us"] > 0 for stage in stages.STAGES)


def test_publish_counts_what_kafka_holds(servers: LocalServers, tmp_path: Path) -> None:
    load = publishing.Load(events=4_000, series=40, repeats=1)
    found = json.loads(as_json(publishing.measure(servers, load, tmp_path)))
    assert found["events_per_s"] > 0
    assert found["checked"] == {"events": 4_000}
