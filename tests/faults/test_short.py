"""The short form: a few faults, few events, and every negative control."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.faults.catalogue import FAULTS
from bench.faults.place import Place, open_place
from bench.faults.points import Load
from bench.faults.repeat import run_repeat

LOAD = Load(events=5_000, series=800, rate=2_000)
CONTROL_LOAD = Load(events=16_000, series=4_000, rate=4_000)
"""More series: what is missing then shows in many of them."""
SEED = 1
CONTROL_TRIES = 3
FEW = (
    "worker-kill-before-commit",
    "worker-rolling-replacement",
    "kafka-kill",
    "redis-older-snapshot",
    "redis-lost-replies",
    "input-poison",
)
CONTROLS = [fault.name for fault in FAULTS.values() if fault.control]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with open_place() as opened:
        yield opened


@pytest.mark.parametrize("name", FEW)
def test_nothing_is_lost_wrong_or_double(place: Place, tmp_path: Path, name: str) -> None:
    verdict = run_repeat(place, FAULTS[name], LOAD, SEED, tmp_path / "logs")
    assert verdict.kept, verdict


@pytest.mark.parametrize("name", CONTROLS)
def test_a_worker_without_a_rule_is_found_out(place: Place, tmp_path: Path, name: str) -> None:
    # The control of take() depends on when it is killed: chance may heal what is broken.
    verdicts = (
        run_repeat(place, FAULTS[name], CONTROL_LOAD, seed, tmp_path / f"logs-{seed}")
        for seed in range(SEED, SEED + CONTROL_TRIES)
    )
    assert any(verdict.broken for verdict in verdicts)
