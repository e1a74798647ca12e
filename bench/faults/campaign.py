"""Many repeats of many faults on servers that are started once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from bench.faults.fault import Fault
from bench.faults.place import Place, open_place
from bench.faults.points import Load
from bench.faults.repeat import run_repeat
from bench.faults.results import Results, Row, row_of
from bench.faults.verdict import Verdict
from bench.machine import conditions
from bench.processes import BenchError
from tidecast.errors import TidecastError

KEPT_LOGS: Final = Path("runs/fault-logs")
"""Where the logs of a repeat go whose verdict is not as it must be."""


@dataclass(frozen=True)
class Campaign:
    """What is to be run: `repeats` of each fault, with the seeds from `seed` on."""

    faults: Sequence[Fault]
    load: Load
    repeats: int = 10
    seed: int = 1
    resume: bool = False
    """Skip what the results hold already."""


def run(campaign: Campaign, results: Results, say: Callable[[str], None]) -> list[Row]:
    """Run what is to be run, write each repeat down as it ends, and return the rows."""
    known = results.rows() if campaign.resume else []
    done = {(row.fault, row.seed) for row in known if not row.failed}
    wanted = [
        (fault, seed)
        for seed in range(campaign.seed, campaign.seed + campaign.repeats)
        for fault in campaign.faults
        if (fault.name, seed) not in done
    ]
    rows: list[Row] = []
    for row in _rows(wanted, campaign.load):
        results.append(row)
        rows.append(row)
        say(f"{len(rows)}/{len(wanted)} {line(row)}")
    return rows


def _rows(wanted: Sequence[tuple[Fault, int]], load: Load) -> Iterator[Row]:
    """Each repeat as it ends; faults that need no disk of their own share the servers."""
    where = conditions()
    reasons = {fault.name: fault.impossible() for fault, _ in wanted}
    skipped = [one for one in wanted if reasons[one[0].name]]
    possible = [one for one in wanted if not reasons[one[0].name]]
    for fault, seed in skipped:
        yield row_of(fault.name, seed, load.events, where, skipped=reasons[fault.name])
    by_disk = sorted(possible, key=lambda one: one[0].disk_mib)
    for disk_mib, alike in groupby(by_disk, key=lambda one: one[0].disk_mib):
        with open_place(disk_mib) as place:
            for fault, seed in alike:
                yield _run_one(place, fault, load, seed)


def as_it_must_be(fault: Fault, verdict: Verdict) -> bool:
    """Whether the promise was kept, or, under a negative control, found broken."""
    return verdict.broken if fault.control else verdict.kept


def line(row: Row) -> str:
    """A repeat in one line."""
    head = f"{row.fault} seed {row.seed}: "
    if row.verdict is None:
        return head + (f"skipped, {row.skipped}" if row.skipped else f"FAILED, {row.failed}")
    found = row.verdict.found
    text = (
        f"{found.events:,} events, lost {found.lost:,}, wrong {found.wrong:,}, windows wrong "
        f"{found.windows_wrong:,}, out of order {found.out_of_order:,}, repeats "
        f"{found.duplicates_raw:,} on the topic and {found.duplicates_read:,} read, rejected "
        f"{found.rejected:,}; outage "
        f"{row.verdict.outage_s:.1f} s, catch-up {row.verdict.catch_up_s:.1f} s"
    )
    return head + text + ("" if row.verdict.settled else "; NOT SETTLED") + _first(found.example)


def _first(example: str) -> str:
    return f" ({example[:200]})" if example else ""


def _run_one(place: Place, fault: Fault, load: Load, seed: int) -> Row:
    where = conditions()
    logs = KEPT_LOGS / f"{fault.name}-{seed}"
    try:
        verdict = run_repeat(place, fault, load, seed, logs)
    except (BenchError, TidecastError) as error:
        why = f"{error}; worker logs: {logs}"
        return row_of(fault.name, seed, load.events, where, failed=why)
    if as_it_must_be(fault, verdict):
        shutil.rmtree(logs)
    return row_of(fault.name, seed, load.events, where, verdict=verdict)
