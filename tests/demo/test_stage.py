"""What the demo starts, and what it says when a worker does not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.waiting import wait_until
from tidecast.demo.stage import await_start, forget_other_settings
from tidecast.errors import LocalServerError
from tidecast.local.child import Child


def ending(tmp_path: Path, last_line: str, status: int) -> tuple[Child, Path]:
    log = tmp_path / "worker.log"
    program = f"print({last_line!r}); raise SystemExit({status})"
    worker = Child((sys.executable, "-c", program), log)
    wait_until(lambda: not worker.running, 10, "the worker ends")
    return worker, log


@pytest.mark.parametrize(
    ("last_line", "status", "said"),
    [
        ("tidecast: no bundle in x", 65, "status 65: no bundle in x "),
        ('{"action": "leave", "error": "a hole in the log"}', 70, "status 70: a hole in the log "),
        ('{"action": "claim", "event": "partition ready"}', 137, r"status 137 \(log: "),
        ("no JSON", 1, r"status 1 \(log: "),
    ],
)
def test_a_worker_that_ends_says_why_in_one_line(
    tmp_path: Path, last_line: str, status: int, said: str
) -> None:
    worker, log = ending(tmp_path, last_line, status)
    with pytest.raises(LocalServerError, match=f"the worker ended with {said}.*worker.log"):
        await_start(worker, log)
    worker.stop()


def test_a_worker_has_started_when_its_log_says_so(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    program = """import time; print('{"action": "start"}', flush=True); time.sleep(600)"""
    worker = Child((sys.executable, "-c", program), log)
    begun = time.monotonic()
    await_start(worker, log)
    assert time.monotonic() - begun < 10
    worker.stop()


def test_settings_for_other_servers_are_put_aside_and_nothing_else() -> None:
    environment = {"TIDECAST_KAFKA__USERNAME": "ann", "TIDECAST_PYTHON": "python3", "HOME": "/x"}
    forget_other_settings(environment)
    assert environment == {"TIDECAST_PYTHON": "python3", "HOME": "/x"}
