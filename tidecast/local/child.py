"""A child process that dies with us, even when we are killed: see `guard.py`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tidecast.errors import LocalServerError
from tidecast.local import guard

STOP_LIMIT_S: Final = 10.0
"""Kafka closes its logs in well under a second; a longer wait means it hangs."""
KILL_LIMIT_S: Final = 5.0
"""How long the guard may take beyond that to see the end of its child."""
POLL_S: Final = 0.02


class Child:
    """One running command, and the guard that ends it when we are gone.

    The command's output is appended to `log`, and while it runs no second Child runs on that log.
    Terminal signals such as Ctrl-C do not reach it: it ends when we stop it.
    Raises LocalServerError when it cannot be started at all.
    """

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, stop_limit_s: float = STOP_LIMIT_S
    ) -> None:
        self._stop_limit_s = stop_limit_s
        argv = [sys.executable, "-I", "-S", guard.__file__, str(stop_limit_s), *map(str, command)]
        with log.open("ab") as output:
            _lock(output.fileno(), log, stop_limit_s)
            self._guard = subprocess.Popen(  # noqa: S603 our own guard and command
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                bufsize=0,
            )
        assert self._guard.stdin is not None  # noqa: S101 both are pipes
        assert self._guard.stdout is not None  # noqa: S101
        self._lifeline = self._guard.stdin
        with self._guard.stdout as answer:
            first_line = answer.readline()
        if not first_line:
            self.stop()
            raise LocalServerError(f"{command[0]} could not be started; its log is {log}")
        self.pid = int(first_line)

    @property
    def guard_pid(self) -> int:
        """Process id of the guard."""
        return self._guard.pid

    @property
    def running(self) -> bool:
        """Whether the command has not ended yet."""
        return self._guard.poll() is None

    def send(self, signal_number: int) -> None:
        """Send the command a signal; nothing happens when it has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal_number)

    def wait(self, limit_s: float) -> int:
        """The command's exit status, as a shell shows it. Raises TimeoutError after `limit_s`."""
        try:
            return self._guard.wait(limit_s)
        except subprocess.TimeoutExpired as timeout:
            raise TimeoutError(f"still running after {limit_s:g} s") from timeout

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after the time limit; returns when the command has ended."""
        self._lifeline.close()
        self._guard.wait(self._stop_limit_s + KILL_LIMIT_S)
        self._bury()

    def kill(self) -> None:
        """SIGKILL, as a crash or the out-of-memory killer would; returns when it has ended."""
        self.send(signal.SIGKILL)
        self._guard.wait(KILL_LIMIT_S)
        self._lifeline.close()
        self._bury()

    def _bury(self) -> None:
        """End the command ourselves where a killed guard could not (macOS has no parent signal)."""
        if self._guard.returncode >= 0:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            deadline = time.monotonic() + KILL_LIMIT_S
            while time.monotonic() < deadline:
                os.kill(self.pid, 0)
                time.sleep(POLL_S)


def _lock(descriptor: int, log: Path, limit_s: float) -> None:
    """Lock the log for as long as the command or its guard hold the inherited descriptor.

    A command whose parent was killed a moment ago is still stopping, so wait that long for it.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            if time.monotonic() > deadline:
                raise LocalServerError(
                    f"a server already runs in {log.parent} (log: {log})"
                ) from held
        time.sleep(POLL_S)
