"""A disk that fills up while something is saved: what was there stays whole."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.training.bundles import bundle_of
from tests.training.test_fit import a_fit
from tidecast.bundle import read_bundle, write_bundle
from tidecast.errors import BundleError, DataError

ROOM: Final = 20_000


@contextmanager
def a_disk_without_room() -> Iterator[None]:
    """No file grows beyond ROOM bytes here: refused in the same call as by a disk that is full,
    with another number.
    """
    room, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))


def test_the_old_bundle_stays_whole(tmp_path: Path) -> None:
    folder = tmp_path / "tried"
    write_bundle(tmp_path, bundle_of(b"a graph", 8), "old")
    refused = f"cannot write {folder / '1'}: File too large; free some space"
    with a_disk_without_room(), pytest.raises(BundleError, match=refused):
        write_bundle(tmp_path, bundle_of(b"x" * 2 * ROOM, 8), "new")
    assert read_bundle(folder / "1").graph == b"a graph"
    assert (folder / "1" / "report.html").read_text() == "old"
    assert [one.name for one in folder.iterdir()] == ["1"]


def test_the_old_checkpoint_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "fit.checkpoint"
    fit = a_fit(steps=4)
    fit.save(path)
    fit.step = 1
    refused = f"cannot write the checkpoint {path}: File too large; free some space"
    with a_disk_without_room(), pytest.raises(DataError, match=refused):
        fit.save(path)
    again = a_fit(steps=4)
    again.resume(path)
    assert again.step == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kept", [0, 0.5])
def test_half_a_checkpoint_is_no_checkpoint(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "fit.checkpoint"
    a_fit(steps=4).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DataError, match="no whole checkpoint; delete it"):
        a_fit(steps=4).resume(path)
