"""A child ends with its parent, however the parent ends, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import gone
from tests.waiting import wait_until
from tidecast.errors import LocalServerError
from tidecast.local.child import Child
from tidecast.local.server import last_words

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(600)",
]
PARENT = """
import sys, time
from pathlib import Path
from tidecast.local import local_servers
with local_servers(Path(sys.argv[1])) as servers:
    for server in (servers.kafka, servers.valkey):
        print(server.pid, server.guard_pid, flush=True)
    time.sleep(600)
"""


def started(command: list[str], log: Path, stop_limit_s: float = 5.0) -> Child:
    child = Child(command, log, stop_limit_s=stop_limit_s)
    wait_until(lambda: "up" in log.read_text(), 10, "the child runs")
    return child


@pytest.mark.servers
def test_both_servers_die_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for _ in range(2) for pid in parent.stdout.readline().split()]
        assert len(pids) == 4
        assert not any(gone(pid) for pid in pids)
        parent.kill()
    wait_until(lambda: all(gone(pid) for pid in pids), 15, "servers and guards are gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent-death signal")
def test_a_child_dies_with_a_killed_guard(tmp_path: Path) -> None:
    child = started(SLEEP, tmp_path / "log")
    os.kill(child.guard_pid, signal.SIGKILL)
    wait_until(lambda: gone(child.pid), 5, "the child is gone")
    child.stop()
    assert not child.running


def test_a_terminated_guard_takes_its_child_along(tmp_path: Path) -> None:
    child = started(SLEEP, tmp_path / "log")
    os.kill(child.guard_pid, signal.SIGTERM)
    wait_until(lambda: gone(child.pid), 5, "the child is gone")
    child.stop()


def test_a_child_that_ignores_sigterm_is_killed_after_the_limit(tmp_path: Path) -> None:
    child = started(DEAF, tmp_path / "log", stop_limit_s=0.2)
    child.stop()
    assert gone(child.pid)
    assert child.wait(0) == 128 + signal.SIGKILL


def test_the_status_of_a_command_that_ends_by_itself(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log")
    assert child.wait(10) == 3
    child.stop()


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match=r"/no/such/server could not be started.*log"):
        Child(["/no/such/server"], tmp_path / "log")


def test_two_servers_on_one_folder_exclude_each_other(tmp_path: Path) -> None:
    first = started(SLEEP, tmp_path / "log")
    with pytest.raises(LocalServerError, match="a server already runs in"):
        Child(SLEEP, tmp_path / "log", stop_limit_s=0.1)
    first.kill()
    Child(SLEEP, tmp_path / "log").stop()


def test_last_words_prefer_the_error_to_its_stack(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old error\nstarting\njava.net.BindException: taken\n\tat x.Y(Z.java:1)\nbye\n")
    assert last_words(log) == "java.net.BindException: taken"
    assert last_words(log, len("old error\nstarting\njava.net.BindException: taken\n")) == "bye"
    assert last_words(log, log.stat().st_size) == ""
