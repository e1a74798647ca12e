"""Run as a program: saves twice, the second time on a disk that takes no file beyond some bytes.

    python -m tests.training.full_disk bundle|checkpoint FOLDER

Prints how the second attempt ended. A disk that is full refuses in the same call, with another
number.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import msgspec

from tests.training.bundles import bundle_of
from tidecast.bundle import write_bundle
from tidecast.errors import TidecastError

ROOM = 20_000


def save_bundles(folder: Path) -> None:
    write_bundle(folder, bundle_of(b"a graph", 8), "old")
    limit()
    write_bundle(folder, bundle_of(b"x" * 2 * ROOM, 8), "new")


def save_checkpoints(folder: Path) -> None:
    from tests.training.test_fit import a_fit

    fit = a_fit(steps=4)
    fit.save(folder / "fit.checkpoint")
    limit()
    fit.step = 1
    fit.save(folder / "fit.checkpoint")


def limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))


def main() -> None:
    what, folder = sys.argv[1:]
    try:
        {"bundle": save_bundles, "checkpoint": save_checkpoints}[what](Path(folder))
    except TidecastError as error:
        sys.stdout.write(msgspec.json.encode([type(error).__name__, str(error)]).decode())


if __name__ == "__main__":
    main()
