"""Finished repeats, one JSON line each, appended as they finish: a campaign may be interrupted."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.faults.verdict import Verdict
from bench.machine import Conditions
from bench.report import KEPT

RESULTS: Final = KEPT / "faults.jsonl"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One repeat with where, when and of what it was run.

    skipped: why this machine cannot run it. failed: why it came to no verdict.
    """

    fault: str
    seed: int
    events: int
    commit: str
    machine: str
    date: str
    versions: Mapping[str, str]
    verdict: Verdict | None = None
    skipped: str = ""
    failed: str = ""


class Results:
    """The file of a campaign."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def rows(self) -> list[Row]:
        """What is in the file; of a repeat that was run again, the last."""
        if not self._file.exists():
            return []
        lines = self._file.read_bytes().splitlines()
        rows = [msgspec.json.decode(line, type=Row) for line in lines]
        return list({(row.fault, row.seed): row for row in rows}.values())

    def append(self, row: Row) -> None:
        """Add one repeat."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")


def row_of(fault: str, seed: int, events: int, where: Conditions, **outcome: Any) -> Row:  # noqa: ANN401
    """A row of a repeat that has just been run. outcome: `verdict`, `skipped` or `failed`."""
    return Row(
        fault=fault,
        seed=seed,
        events=events,
        commit=_commit(),
        machine=where.machine,
        date=where.date,
        versions=where.versions,
        **outcome,
    )


def as_dict(row: Row) -> dict[str, Any]:
    """A row of the JSON that `--json` prints. Precondition: it was run."""
    assert row.verdict is not None
    verdict, found = row.verdict, row.verdict.found
    return {
        "fault": row.fault,
        "seed": row.seed,
        "events": found.events,
        "lost": found.lost,
        "wrong": found.wrong + found.windows_wrong + found.out_of_order,
        "duplicates_raw": found.duplicates_raw,
        "duplicates_read": found.duplicates_read,
        "outage_s": verdict.outage_s,
        "catch_up_s": verdict.catch_up_s,
        "settled": verdict.settled,
        "restarts": verdict.restarts,
        "peak_memory_bytes": verdict.peak_memory_bytes,
    }


def _commit() -> str:
    """The commit that is checked out, with a plus where files differ from it."""
    git = ["git", "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
