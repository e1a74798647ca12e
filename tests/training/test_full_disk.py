"""A disk that fills up while something is saved: what was there stays whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.training.test_fit import a_fit
from tidecast.bundle import read_bundle
from tidecast.errors import DataError


def refused(what: str, folder: Path) -> list[str]:
    """The error, its class and its words, of saving something for the second time."""
    command = [sys.executable, "-m", "tests.training.full_disk", what, str(folder)]
    done = subprocess.run(command, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=list[str])


def test_the_old_bundle_stays_whole(tmp_path: Path) -> None:
    kind, message = refused("bundle", tmp_path)
    assert kind == "BundleError"
    assert f"cannot write {tmp_path / 'tried' / '1'}: File too large; free some space" in message
    folder = tmp_path / "tried"
    assert read_bundle(folder / "1").graph == b"a graph"
    assert (folder / "1" / "report.html").read_text() == "old"
    assert [one.name for one in folder.iterdir()] == ["1"]


def test_the_old_checkpoint_stays_whole(tmp_path: Path) -> None:
    kind, message = refused("checkpoint", tmp_path)
    path = tmp_path / "fit.checkpoint"
    assert kind == "DataError"
    assert f"cannot write the checkpoint {path}: File too large; free some space" in message
    fit = a_fit(steps=4)
    fit.resume(path)
    assert fit.step == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kept", [0, 0.5])
def test_half_a_checkpoint_is_no_checkpoint(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "fit.checkpoint"
    a_fit(steps=4).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DataError, match="no whole checkpoint; delete it"):
        a_fit(steps=4).resume(path)
