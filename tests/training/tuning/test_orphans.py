"""A search in several processes whose first one is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import psutil

from tests.processes import gone
from tests.training.tuning.toy import NLINEAR, SILENT, folder_with
from tests.waiting import wait_until
from training.tuning.search import read_search
from training.tuning.trials import Trials, Tried
from training.tuning.tune import TuneOrder, tune

RATES: Final = [0.001, 0.002, 0.003, 0.004]
SEARCH: Final = f"""
method = "grid"
origins = 8
[space]
"fit.optimiser.learning_rate" = {{ choices = {RATES} }}
"""
START_S: Final = 120.0
"""Three processes that import torch."""
LEAVE_S: Final = 10.0


def test_a_killed_search_leaves_no_process_and_loses_no_trial(tmp_path: Path) -> None:
    recipe = folder_with(tmp_path, NLINEAR)
    recipe.write_text(recipe.read_text().replace("steps = 8", "steps = 400"))
    (tmp_path / "search.toml").write_text(SEARCH)
    order = TuneOrder(
        recipe, read_search(tmp_path / "search.toml"), tmp_path / "out", tmp_path / "runs"
    )
    home = tmp_path / "runs" / "toy-1-search"
    begun = killed_at_work(tmp_path, home)
    wait_until(lambda: all(map(gone, begun)), LEAVE_S, "no process of the search is left")
    before = Trials(home, order.search).over()
    assert len(before) < len(RATES)
    seen: list[list[Tried]] = []
    found = tune(order, SILENT, lambda over, most: seen.append(over))
    after = seen[-1]
    assert sorted(one.settings["fit.optimiser.learning_rate"] for one in after) == RATES
    assert {one.outcome.state for one in after} == {"done"}
    assert [one for one in after if one in before] == before
    assert (found.bundle / "model.onnx").exists()


def killed_at_work(folder: Path, home: Path) -> list[int]:
    """Search by the command, kill it while trials are fitted; all the processes it had begun."""
    paths = {"config": "recipe.toml", "search": "search.toml", "out": "out", "runs": "runs"}
    named = [word for name, path in paths.items() for word in (f"--{name}", str(folder / path))]
    with (folder / "log").open("wb") as log:
        command = subprocess.Popen(
            [sys.executable, "-m", "training", "tune", *named, "--jobs", "2"],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: [*home.glob("trial-*/*.checkpoint")], START_S, "a trial is being fitted")
        begun = [child.pid for child in psutil.Process(command.pid).children(recursive=True)]
    finally:
        command.kill()
        command.wait()
    assert len(begun) >= 2
    return begun
