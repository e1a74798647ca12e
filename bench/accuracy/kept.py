"""What was found last, contest by contest: for the page, and for people in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from bench.accuracy.rows import Row
from bench.machine import Conditions, conditions
from bench.report import KEPT

FILE: Final = KEPT / "accuracy.json"
LIBRARIES: Final = ("numpy", "onnxruntime", "scikit-learn", "statsforecast", "torch")


class Found(msgspec.Struct, frozen=True):
    """The rows of one contest, and where and when it was run."""

    rows: tuple[Row, ...]
    conditions: Conditions


Contests = Mapping[str, Found]
"""By the name of the contest."""


def where() -> Conditions:
    """The conditions of a contest that starts now, with the libraries that matter here."""
    found = conditions()
    versions = {"python": found.versions["python"]} | {name: version(name) for name in LIBRARIES}
    return replace(found, versions=versions)


def kept(file: Path = FILE) -> dict[str, Found]:
    """What was found last of each contest."""
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Found]) if file.exists() else {}


def keep(contest: str, found: Found, file: Path = FILE) -> None:
    """Keep what was found in the place of what was found before; other contests stay."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(kept(file) | {contest: found})))


def as_json(contests: Contests) -> bytes:
    """One line: `rows`, those of each contest, and where and when each was run."""
    found = {
        "bench": "accuracy",
        "rows": [row for one in contests.values() for row in one.rows],
        "conditions": {contest: one.conditions for contest, one in contests.items()},
    }
    return msgspec.json.encode(found)
