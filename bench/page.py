"""docs/performance.md, written from fresh results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.report import Result, caption, rows

PAGE: Final = Path("docs/performance.md")

HEAD: Final = """\
# Performance

Measured on a real Kafka and a real Valkey that share the machine with the program under test and
with the bench. `scripts/bench report` runs the benches and writes this page; a bench that counts
a forecast too few, too many or twice gives no figure. Each says how busy the machine was before it
began: where that load is not near zero, other programs took their share, and a quiet machine does
better.
"""

NOTES: Final = {
    "throughput": """\
The backlog is there before the worker starts. The worker is a process of its own with default
settings: idempotent producer, acks=all, checkpoints with fence and cursor in Valkey. JSON comes
in and goes out, every observation with a forecast of the whole horizon. The rate is taken from
the broker's own append times, from the first forecast to the last; nothing reads along.
Afterwards every forecast id is there once, nothing was rejected, and the cursors in Valkey are
at the end of the log.

Stock Faust is the same job as Faust's documentation writes it: an agent, a table with its
changelog, one event at a time, `topic.send`; the same broker, partitions, events and model
(`bench/peers/stock_faust.py`). Its table is in memory, Faust's default and faster than RocksDB.
""",
    "latency": """\
Open loop: publishing keeps to a schedule that waits for nobody, and latency counts from the
scheduled time, so that a stall is charged to every event it delays (no coordinated omission).
`Publisher`, worker and `Subscriber` are a process each; the worker is warm.
""",
    "stages": """\
One process, one batch after the other, the stages of the worker in their order. "Busy" is
processor time; without it, the time that passed, waits for Kafka and Valkey included. In a worker
these waits overlap with the work on other partitions.
""",
    "recovery": """\
Rebuild: the group has answered everything and Redis is empty; the log is read again, and every row
is written. Ready: Redis holds the rows, a worker claims all partitions and loads them.
""",
    "soak": """\
The highest load is what two workers answer of a backlog while driver and verifier work beside them
on the same machine. The run goes at 70 % of it; one worker is killed again and again, the other
one's memory is watched. Every forecast is compared byte for byte with what the log makes it.
""",
    "publish": """\
A long CSV file through `tidecast publish`: read, checked, written as JSON, acknowledged by Kafka.
""",
}


def write(results: Sequence[Result], page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text("\n".join([HEAD, *map(section, results)]), encoding="utf-8")


def section(result: Result) -> str:
    """A bench in Markdown: its question, its command, what it means, the figures and conditions."""
    several = any(len(figure.values) > 1 for figure in result.figures)
    columns = ["", "median", "least", "most"] if several else ["", ""]
    table = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    table += [list(row[: len(columns)]) for row in rows(result)]
    return "\n".join(
        [
            f"## {result.question}\n",
            f"    scripts/bench {result.bench}\n",
            NOTES[result.bench],
            *(f"| {' | '.join(row)} |" for row in table),
            "",
            *(f"- {line}" for line in caption(result).splitlines()),
            "",
        ]
    )
