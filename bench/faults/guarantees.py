"""docs/guarantees.md, written from the results of a campaign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.faults.catalogue import FAULTS
from bench.faults.fault import Fault
from bench.faults.results import Row
from bench.faults.tables import COLUMNS, summaries
from bench.page import section
from bench.processes import BenchError
from bench.report import kept

PAGE: Final = Path("docs/guarantees.md")

HEAD: Final = """\
# Guarantees, under faults

Each accepted event is applied to its window exactly once and yields one forecast; a reader that
uses the `Subscriber` sees it once. This page shows what came of that under every fault that one
machine can produce. `scripts/bench faults` runs them, `scripts/bench faults --report` writes this
page from the results.

A real Kafka and a real Valkey behind a TCP proxy, workers as a user starts them, a publisher that
waits for nobody. The values say which event of which series they are, and the model is a ledger:
its forecast holds how many slots a series was fed and a checksum over their values in order, in
whole numbers. A verifier then reads events, forecasts and rejections from the first offset,
replays the events, and compares every message byte for byte, and every row in Redis.

*Lost*: neither forecast nor rejected. *Wrong*: a message that must not be there or not so, a row
in Redis that is not what the log makes it, an answer out of order. *Outage*: the longest time in
which an event waited and no forecast of its partition was appended. *Catch-up*: from the end of
the fault until less than a second's worth of events waits. Counts are added up over all repeats;
times are the median of them and, in brackets, the longest.
"""

OTHERS: Final = ("recovery", "soak")
"""Benches whose last result belongs on the page too."""

TITLES: Final = {
    "none": "Nothing happens",
    "worker": "Workers",
    "kafka": "Kafka",
    "redis": "Redis",
    "input": "Input",
    "mix": "Two at a time",
    "stop": "A stop on purpose",
    "control": "Negative controls",
}
NOTES: Final = {
    "none": """\
What the figures below are to be compared with: the longest wait of a run without a fault.
""",
    "stop": """\
The log no longer holds what the state continues from. The counts are those before; a worker that
is started then refuses with its exit code, and names the command that helps.
""",
    "control": """\
A rule of the protocol left out on purpose. Each must be found lost or wrong, or the verifier
proves nothing.
""",
}


def write(rows: Sequence[Row], note: str = "", page: Path = PAGE) -> None:
    """Write the page; `note` says how it was run. Raises BenchError without results."""
    if not any(row.verdict for row in rows):
        raise BenchError("no results; run `scripts/bench faults` first")
    groups = [_section(group, rows) for group in TITLES]
    others = [section(result) for bench in OTHERS if (result := kept(bench))]
    text = "\n".join([HEAD, *(part for part in groups if part), _foot(rows, note), *others])
    page.write_text(text, encoding="utf-8")


def _section(group: str, rows: Sequence[Row]) -> str:
    of_group = [row for row in rows if row.fault in FAULTS and FAULTS[row.fault].group == group]
    if not of_group:
        return ""
    table = [["", *COLUMNS[1:], "outage allowed, s"], ["---", *["---:"] * len(COLUMNS)]]
    for summary in summaries(of_group):
        fault = FAULTS[summary.fault]
        table.append([fault.about, *summary.cells[1:], _bar(fault)])
    return "\n".join(
        [
            f"## {TITLES[group]}\n",
            *([NOTES[group]] if group in NOTES else []),
            *(f"| {' | '.join(line)} |" for line in table),
            "",
            *_skipped(of_group),
            *_failed(of_group),
        ]
    )


def _failed(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.failed:
            yield f"No verdict: {FAULTS[row.fault].about}, seed {row.seed}: {row.failed}.\n"


def _bar(fault: Fault) -> str:
    return "" if fault.outage_bar_s is None else f"{fault.outage_bar_s:g}"


def _skipped(rows: Sequence[Row]) -> Iterator[str]:
    for name, reason in {row.fault: row.skipped for row in rows if row.skipped}.items():
        yield f"Not run: {FAULTS[name].about}: {reason}.\n"


def _foot(rows: Sequence[Row], note: str) -> str:
    places = sorted({row.machine for row in rows})
    days = sorted({row.date[:10] for row in rows})
    commits = sorted({row.commit for row in rows})
    versions = {f"{name} {version}" for row in rows for name, version in row.versions.items()}
    return "\n".join(
        [
            "## Where and when\n",
            *(f"- {place}" for place in places),
            f"- {' to '.join(dict.fromkeys((days[0], days[-1])))}",
            f"- {', '.join(sorted(versions))}",
            f"- Tidecast at {', '.join(commits)}",
            *([f"- {note}"] if note else []),
            "",
        ]
    )
