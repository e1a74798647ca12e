"""Repeats as a table, a line a fault, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from statistics import median
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from bench.faults.results import Row, as_dict
from bench.faults.verdict import Verdict
from bench.machine import conditions

COLUMNS: Final = (
    "fault",
    "repeats",
    "events",
    "lost",
    "wrong",
    "repeats on the topic",
    "repeats read",
    "outage, s",
    "catch-up, s",
)


class Summary(NamedTuple):
    """All repeats of a fault: counts added up, of times the median and the longest."""

    fault: str
    verdicts: list[Verdict]

    @property
    def cells(self) -> list[str]:
        """One for each of COLUMNS."""
        found = [verdict.found for verdict in self.verdicts]
        wrong = sum(one.wrong + one.windows_wrong + one.out_of_order for one in found)
        return [
            self.fault,
            str(len(found)),
            f"{sum(one.events for one in found):,}",
            f"{sum(one.lost for one in found):,}",
            f"{wrong:,}",
            f"{sum(one.duplicates_raw for one in found):,}",
            f"{sum(one.duplicates_read for one in found):,}",
            _median_and_longest([verdict.outage_s for verdict in self.verdicts]),
            _median_and_longest([verdict.catch_up_s for verdict in self.verdicts]),
        ]


def _median_and_longest(times_s: Sequence[float]) -> str:
    if len(times_s) == 1:
        return f"{times_s[0]:.1f}"
    return f"{median(times_s):.1f} ({max(times_s):.1f})"


def summaries(rows: Sequence[Row]) -> Iterator[Summary]:
    """One for each fault that was run, in the order of their names."""
    run = sorted((row for row in rows if row.verdict), key=lambda row: row.fault)
    for fault, repeats in groupby(run, key=lambda row: row.fault):
        yield Summary(fault, [row.verdict for row in repeats if row.verdict])


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table."""
    table = Table()
    for column in COLUMNS:
        left = column == "fault"
        table.add_column(column, justify="left" if left else "right", no_wrap=left)
    for summary in summaries(rows):
        table.add_row(*summary.cells)
    console.print(table)


def as_json(rows: Sequence[Row]) -> bytes:
    """One line: `rows`, one for each repeat, and where they were run."""
    return msgspec.json.encode(
        {
            "bench": "faults",
            "rows": [as_dict(row) for row in rows if row.verdict],
            "skipped": {row.fault: row.skipped for row in rows if row.skipped},
            **asdict(conditions()),
        }
    )
