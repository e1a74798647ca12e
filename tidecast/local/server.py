"""One real server: started, waited for, stopped, killed and started again on the same data."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidecast.errors import LocalServerError
from tidecast.local.child import Child
from tidecast.local.ports import TAKEN, is_free

POLL_S: Final = 0.02
LOG_TAIL_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Recipe:
    """How to start a server.

    prepare: commands that must end with 0 before the server starts, run once.
    answers: whether the server answers a real call by now; must return within a second or so.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    port: int
    answers: Callable[[], bool]
    prepare: tuple[tuple[str, ...], ...] = ()
    start_limit_s: float = 40.0


class Server:
    """A running server. Stopped or killed, it starts again on the same port and data.

    Raises LocalServerError, from the constructor and from `start`, with the log's last words.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        for command in recipe.prepare:
            self._prepare(command)
        self.start()

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return self._recipe.name

    @property
    def port(self) -> int:
        """The port it listens on, at 127.0.0.1."""
        return self._recipe.port

    @property
    def log(self) -> Path:
        """The file that takes the server's output."""
        return self._recipe.log

    @property
    def pid(self) -> int:
        """Process id of the server itself."""
        return self._child.pid

    @property
    def guard_pid(self) -> int:
        """Process id of the guard that ends it with us."""
        return self._child.guard_pid

    @property
    def running(self) -> bool:
        """Whether the process is there; a paused server is running too."""
        return self._child.running

    def start(self) -> None:
        """Start the process and return when the server answers."""
        if not is_free(self.port):  # or a stranger there would answer in its place
            raise LocalServerError(f"{self.name} did not start: port {self.port}: {TAKEN}")
        log_start = _size(self.log)
        self._child = Child(self._recipe.command, self.log)
        try:
            self._await_answer(log_start)
        except BaseException:
            self._child.kill()
            raise

    def stop(self) -> None:
        """Let the server end in good order. No effect on one that has ended."""
        self._child.stop()

    def kill(self) -> None:
        """SIGKILL: what was not yet on disk is lost, as in a crash."""
        self._child.kill()

    def restart(self) -> None:
        """Stop, where it still runs, and start on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, as when a machine hangs."""
        self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: go on after `pause`."""
        self._child.send(signal.SIGCONT)

    def _await_answer(self, log_start: int) -> None:
        deadline = time.monotonic() + self._recipe.start_limit_s
        while not self._recipe.answers():
            if not self._child.running:
                raise self._failure(log_start, "it ended before it answered")
            if time.monotonic() > deadline:
                limit = f"no answer within {self._recipe.start_limit_s:g} s"
                raise self._failure(log_start, limit)
            time.sleep(POLL_S)

    def _prepare(self, command: tuple[str, ...]) -> None:
        log_start = _size(self.log)
        child = Child(command, self.log)
        try:
            status = child.wait(self._recipe.start_limit_s)
        except TimeoutError as timeout:
            raise self._failure(log_start, f"preparing: {timeout}") from timeout
        finally:
            child.stop()
        if status != 0:
            raise self._failure(log_start, f"preparing ended with status {status}")

    def _failure(self, log_start: int, what: str) -> LocalServerError:
        why = last_words(self.log, log_start) or what
        return LocalServerError(f"{self.name} did not start: {why} (log: {self.log})")


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def last_words(log: Path, start: int = 0) -> str:
    """The line of a log, from byte `start` on, that says best why the process ended.

    The last exception or error; the last line where there is none; empty for an empty log.
    """
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - LOG_TAIL_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("at ")]
    telling = [
        line for line in lines if re.search(r"exception|error|fatal|bind:|can't", line, re.I)
    ]
    return (telling or lines or [""])[-1]
