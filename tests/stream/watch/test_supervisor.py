"""A supervisor and the workers it starts: stand-ins that end as a test tells them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from stream.watch.supervisor import CALM_S, LONGEST_PAUSE_S, Backoff, may_start_again
from tests.waiting import wait_until

SUPERVISOR: Final = """
import sys
from stream.watch.supervisor import supervise
from tidecast.settings import LogSettings
replaceable, *command = sys.argv[1:]
sys.exit(supervise(command, LogSettings(format="json"), replaceable == "yes"))
"""

WORKER: Final = """
import os, signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
home = Path(sys.argv[1])
with (home / "pids").open("a") as pids:
    print(os.getpid(), file=pids)
life = len((home / "pids").read_text().split())
end = sys.argv[1 + life]
if end == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (home / "deaf").touch()
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if end.isdigit():
    sys.exit(int(end))
while True:
    if end == "replaced" and len((home / "pids").read_text().split()) > life:
        sys.exit(0)
    time.sleep(0.02)
"""


class Supervised:
    """A running supervisor whose workers end, one after the other, as `ends` says."""

    def __init__(self, home: Path, ends: tuple[str, ...], replaceable: str) -> None:
        self._home = home
        home.joinpath("pids").touch()
        command = [sys.executable, "-c", WORKER, str(home), *ends]
        with self.log_file.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, replaceable, *command], stderr=output
            )

    @property
    def log_file(self) -> Path:
        return self._home / "log"

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def actions(self) -> list[str]:
        return [line["action"] for line in self.log()]

    def workers(self) -> list[int]:
        return [int(pid) for pid in (self._home / "pids").read_text().split()]

    def wait_for_workers(self, count: int) -> None:
        wait_until(lambda: len(self.workers()) >= count, 20, f"{count} workers were started")

    def wait_for_none(self) -> None:
        wait_until(lambda: not self.running(), 20, "no worker outlives its supervisor")

    def end(self) -> int:
        return self.process.wait(20)

    def running(self) -> list[int]:
        return [pid for pid in self.workers() if psutil.pid_exists(pid) and not zombie(pid)]


def zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Start:
    """Starts supervisors, and ends what a failed test has left."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[Supervised] = []

    def __call__(self, *ends: str, replaceable: str = "yes") -> Supervised:
        self.started.append(Supervised(self.home, ends, replaceable))
        return self.started[-1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    starter = Start(tmp_path)
    yield starter
    for one in starter.started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(20)
        one.wait_for_none()


@pytest.mark.parametrize("end", ["69", "70", "killed"])
def test_a_worker_that_fails_is_started_again(start: Start, end: str) -> None:
    supervised = start(end, "0")
    assert supervised.end() == 0
    assert supervised.actions() == ["start", "restart", "start", "stopped"]
    restart = supervised.log()[1]
    assert restart["exit_code"] == (int(end) if end.isdigit() else 128 + signal.SIGKILL)
    assert 0.5 <= restart["pause_s"] <= 1


@pytest.mark.parametrize("code", [0, 1, 2, 65, 78])
def test_one_that_needs_a_human_is_not(start: Start, code: int) -> None:
    supervised = start(str(code))
    assert supervised.end() == code
    assert supervised.actions() == ["start", "give_up" if code else "stopped"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_handed_on_and_waited_for(start: Start, number: signal.Signals) -> None:
    supervised = start("stay")
    supervised.wait_for_workers(1)
    supervised.process.send_signal(number)
    assert supervised.end() == 0
    assert supervised.running() == []
    assert supervised.actions() == ["start", "stop", "stopped"]


def test_a_second_signal_kills(start: Start) -> None:
    supervised = start("deaf")
    wait_until((start.home / "deaf").exists, 20, "the worker is deaf")
    supervised.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stop" in supervised.actions(), 20, "the first signal was heard")
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 128 + signal.SIGKILL
    assert supervised.actions() == ["start", "stop", "kill", "stopped"]


def test_a_signal_ends_the_pause_before_a_restart(start: Start) -> None:
    supervised = start("70", "70", "70")
    wait_until(lambda: "restart" in supervised.actions(), 20, "the pause has begun")
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0


def test_the_worker_ends_when_its_supervisor_is_killed(start: Start) -> None:
    supervised = start("stay")
    supervised.wait_for_workers(1)
    supervised.process.kill()
    supervised.end()
    supervised.wait_for_none()


def test_a_successor_takes_over_on_sighup(start: Start) -> None:
    supervised = start("replaced", "stay")
    supervised.wait_for_workers(1)
    supervised.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "replaced" in supervised.actions(), 20, "the old worker has left")
    assert supervised.running() == [supervised.workers()[1]]
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert supervised.actions() == ["start", "replace", "replaced", "stop", "stopped"]


@pytest.mark.parametrize("code", ["0", "70", "78"])
def test_a_successor_that_fails_leaves_the_worker_as_it_is(start: Start, code: str) -> None:
    supervised = start("stay", code)
    supervised.wait_for_workers(1)
    supervised.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "replace_failed" in supervised.actions(), 20, "the successor has failed")
    assert supervised.running() == supervised.workers()[:1]
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0


def test_both_are_stopped_when_a_replacement_is_under_way(start: Start) -> None:
    supervised = start("stay", "stay")
    supervised.wait_for_workers(1)
    supervised.process.send_signal(signal.SIGHUP)
    supervised.wait_for_workers(2)
    supervised.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "replace_refused" in supervised.actions(), 20, "a third one is refused")
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert supervised.running() == []


def test_without_an_instance_nothing_can_be_replaced(start: Start) -> None:
    supervised = start("stay", replaceable="no")
    supervised.wait_for_workers(1)
    supervised.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "replace_refused" in supervised.actions(), 20, "the refusal")
    assert len(supervised.workers()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent-death signal")
def test_a_worker_whose_guard_is_killed_is_started_again(start: Start) -> None:
    supervised = start("stay", "stay")
    supervised.wait_for_workers(1)
    os.kill(psutil.Process(supervised.workers()[0]).ppid(), signal.SIGKILL)
    supervised.wait_for_workers(2)
    assert supervised.log()[1]["exit_code"] == 128 + signal.SIGKILL


def test_the_codes_of_the_table() -> None:
    again = {code for code in range(256) if may_start_again(code)}
    assert again == {69, 70, *range(129, 256)}


def test_pauses_double_up_to_a_limit_and_begin_again_after_a_calm_life() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    assert [backoff.pause_s(0) for _ in range(7)] == [1, 2, 4, 8, 10, 10, LONGEST_PAUSE_S]
    assert [backoff.pause_s(CALM_S), backoff.pause_s(CALM_S - 1)] == [1, 2]
    assert Backoff(jitter=lambda: 0.0).pause_s(0) == 0.5
