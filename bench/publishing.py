"""How many events a second go from a file to Kafka: read, checked, written, acknowledged."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.machine import conditions
from bench.processes import expect
from bench.report import Figure, Result
from bench.streams import fresh_stream, total
from bench.workload import observations
from tidecast.file_publisher import publish_file
from tidecast.local import LocalServers
from tidecast.topics import Topics

QUESTION: Final = "How many events a second does `tidecast publish` take from a file to Kafka?"


@dataclass(frozen=True)
class Load:
    """Events in a long CSV file: series, time, value."""

    events: int = 500_000
    series: int = 2_000
    repeats: int = 3


def measure(servers: LocalServers, load: Load, folder: Path) -> Result:
    """Publish the file to a fresh stream, `repeats` times.

    Raises BenchError when Kafka does not hold every event once.
    """
    found = conditions()
    file = folder / "events.csv"
    write_csv(file, load)
    rates = []
    for _ in range(load.repeats):
        with fresh_stream(servers) as settings:
            began_s = time.perf_counter()
            publish_file(settings, file)
            rates.append(load.events / (time.perf_counter() - began_s))
            expect("events", total(settings, Topics.of(settings.stream.name).events), load.events)
    return Result(
        bench="publish",
        question=QUESTION,
        parameters={"events": load.events, "series": load.series, "file": "long CSV"},
        figures=[Figure("events_per_s", "events per second, file to Kafka", rates)],
        checked={"events": load.events},
        conditions=found,
    )


def write_csv(file: Path, load: Load) -> None:
    """The workload as a file."""
    with file.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["series_id", "timestamp", "value"])
        for observation in observations(load.events, load.series):
            (value,) = observation.values.values()
            writer.writerow([observation.series_id, observation.timestamp, value])
