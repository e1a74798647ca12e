"""docs/performance.md, written from fresh results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.report import Result, caption, peer_table, rows

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

The peers do the same job as their own documentation writes it, with their own guarantees on, in
environments of their own (`bench/peers/`): the same broker, partitions, events and bundle, one
event at a time, all numbers of the bundle as JSON out. A slow one is timed on fewer of the events.
Who goes first changes from repeat to repeat. Their table has medians: rate, the worker's rate as a
multiple of it in the same repeat, the same over the second half (which leaves out what a virtual
machine needs to get warm), CPU seconds per million forecasts, most memory. The bare loop keeps
nothing and promises nothing: it is the mark of what one Python process could do, with the model
called in batches. `scripts/bench throughput --peers all --job median` is the peers' job: the median
alone, 24 numbers.
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
            *_markdown(table),
            *_peers(result),
            "",
            *(f"- {line}" for line in caption(result).splitlines()),
            "",
        ]
    )


def _peers(result: Result) -> list[str]:
    """The table of the peers, where there are any."""
    if not result.peers:
        return []
    header, lines = peer_table(result)
    return ["", *_markdown([header, ["---", *["---:"] * (len(header) - 2), "---"], *lines])]


def _markdown(table: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in table]
