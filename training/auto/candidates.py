"""The candidates that were tried, as lines of JSON and as bundles: what a choice goes on from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, final

import msgspec

from tidecast.bundle import Bundle, read_bundle, write_bundle
from training.tuning.space import Document

FILE: Final = "candidates.jsonl"
PLANNED: Final = "planned.json"
BUNDLES: Final = "bundles"
VERSION: Final = "1"


class Plan(msgspec.Struct, frozen=True):
    """A candidate that is to be tried.

    name: of its bundle. recipe: as TOML would have it. share_s: how long its fit may take. drawn:
    by path, as Optuna drew them; empty for a first try. members: names of the candidates that an
    ensemble is made of.
    """

    name: str
    family: str
    recipe: Document
    share_s: float = 0.0
    drawn: dict[str, Any] = {}
    members: tuple[str, ...] = ()


class Candidate(msgspec.Struct, frozen=True):
    """One that was tried. figure: of the validation part; None where it failed, with a message."""

    plan: Plan
    figure: float | None
    message: str
    seconds: float


@final
class Ledger:
    """All candidates so far, in the folder of one choice."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = home / FILE
        self.candidates = _read(self._file)

    @property
    def seconds(self) -> float:
        """Time that all candidates have taken."""
        return sum(one.seconds for one in self.candidates)

    def planned(self) -> Plan | None:
        """The candidate that was being tried when the command ended; None where there is none."""
        path = self._home / PLANNED
        if not path.exists():
            return None
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
        return None if any(one.plan.name == plan.name for one in self.candidates) else plan

    def begin(self, plan: Plan) -> None:
        """Note that a candidate is being tried."""
        fresh = self._home / f"{PLANNED}.part"
        fresh.write_bytes(msgspec.json.encode(plan))
        fresh.replace(self._home / PLANNED)

    def checkpoint(self, plan: Plan) -> Path:
        """Where a candidate that is fitted by steps keeps its checkpoint."""
        return self._home / plan.name / "fit.checkpoint"

    def keep(self, plan: Plan, bundle: Bundle) -> None:
        """Keep the bundle of a candidate, under the candidate's name."""
        manifest = msgspec.structs.replace(bundle.manifest, name=plan.name, version=VERSION)
        write_bundle(self._home / BUNDLES, Bundle(manifest, bundle.graph), "")

    def end(self, candidate: Candidate) -> None:
        """Note what came of it."""
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(candidate) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        shutil.rmtree(self.checkpoint(candidate.plan).parent, ignore_errors=True)
        self.candidates.append(candidate)

    def bundle(self, name: str) -> Bundle:
        """The bundle of a candidate. Raises BundleError when it was damaged or removed."""
        return read_bundle(self._home / BUNDLES / name / VERSION)


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that have a figure, the smallest first."""
    return sorted(
        (one for one in candidates if one.figure is not None), key=lambda one: one.figure or 0.0
    )


def _read(path: Path) -> list[Candidate]:
    """A kill may have left a last line that is not whole: it is cut off, and tried again."""
    if not path.exists():
        return []
    *whole, rest = path.read_bytes().split(b"\n")
    if rest:
        os.truncate(path, sum(len(line) + 1 for line in whole))
    return [msgspec.json.decode(line, type=Candidate) for line in whole]
