"""The folder in which a search, or an automatic choice, keeps all that it needs to go on."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tidecast.errors import SettingsError
from training.source import Source
from training.tuning.space import Document

ORIGIN: Final = "origin.sha256"


@contextmanager
def held(home: Path) -> Iterator[Path]:
    """Make the folder and hold it alone while the context lasts.

    Raises SettingsError when another command holds it, or the disk refuses.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "lock").open("w")
    except OSError as error:
        raise SettingsError(
            f"cannot write in {home}: {error.strerror}; name another --runs"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(
                f"another command is at work in {home}; wait for it, or name another --runs"
            ) from error
        yield home


def require_same(home: Path, source: Source, document: Document, wanted: object) -> None:
    """Raise SettingsError when the folder goes on from other data, another recipe or other wishes.

    wanted: what figures follow from besides the recipe and its data; plain or a struct.
    """
    said = [source.provenance.sha256, document, wanted]
    origin = hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()
    path = home / ORIGIN
    if not path.exists():
        path.write_text(origin, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != origin:
        raise SettingsError(
            f"{home} goes on from another recipe, other data or other settings; name another "
            "--runs, or delete it to start afresh"
        )
