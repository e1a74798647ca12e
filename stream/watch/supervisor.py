"""Keeps one worker running: starts it again after a failure, replaces it on request.

exit code 0, 65, 78, ...   a human is needed, or nobody: leave with the same code
69, 70, a signal           start it again, after a pause
SIGTERM, SIGINT            hand it on, wait; a second one kills
SIGHUP                     start a successor beside the worker; it takes the place over
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from stream.logs import configure_logs
from tidecast.errors import EXIT_CANNOT_CONTINUE, ServiceError
from tidecast.local import guard
from tidecast.settings import LogSettings

STOP_S: Final = 15.0
"""Longest stop of a worker, which gives itself ten seconds."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 10.0
"""Kafka or Redis may be away for long; once it is back, forecasts wait for us."""
CALM_S: Final = 60.0
"""A worker that lived this long had started well: the next pause is the first again."""

SIGNALLED: Final = 128
"""A shell's way to tell an end by a signal: this plus its number."""

AGAIN: Final = {ServiceError.exit_code, EXIT_CANNOT_CONTINUE}

log = structlog.get_logger("tidecast.supervisor")


def supervise(command: Sequence[str], logs: LogSettings, replaceable: bool) -> int:
    """Keep the command, a worker, running. Returns the exit code to leave with."""
    configure_logs(logs)
    return asyncio.run(Supervisor(command, replaceable).run())


def may_start_again(code: int) -> bool:
    """Whether a worker that left with this code is worth another try without a human."""
    return code in AGAIN or code > SIGNALLED


class Backoff:
    """Pauses between starts: doubling, with jitter, from the first again after a calm life."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        """`jitter`: a number in [0, 1); workers that fell together shall not rise together."""
        self._jitter = jitter
        self._next_s = FIRST_PAUSE_S

    def pause_s(self, lived_s: float) -> float:
        """How long to wait after a life of `lived_s`: between half of the full pause and all."""
        full_s = FIRST_PAUSE_S if lived_s >= CALM_S else self._next_s
        self._next_s = min(2 * full_s, LONGEST_PAUSE_S)
        return full_s * (1 + self._jitter()) / 2


class Child:
    """A running worker under the guard that ends it when we are gone: see `local/guard.py`."""

    def __init__(self, process: Process, pid: int) -> None:
        self.pid = pid
        self.started_s = time.monotonic()
        self._guard = process
        self.ended = asyncio.create_task(self._end(), name=f"wait for worker {pid}")

    @classmethod
    async def start(cls, command: Sequence[str]) -> Child:
        """Start the command; its standard error is ours. Terminal signals do not reach it."""
        argv = [sys.executable, "-I", "-S", guard.__file__, str(STOP_S), *command]
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        assert process.stdout is not None  # noqa: S101 it is a pipe
        return cls(process, int(await process.stdout.readline()))

    def stop(self) -> None:
        """Have the guard send SIGTERM, and SIGKILL after the time limit."""
        assert self._guard.stdin is not None  # noqa: S101 it is a pipe
        self._guard.stdin.close()

    def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def _end(self) -> int:
        """The exit code, as a shell shows it."""
        code = await self._guard.wait()
        if code < 0:
            # Somebody killed the guard. Only Linux kills the worker with it.
            self.kill()
        return code if code >= 0 else SIGNALLED - code


class Supervisor:
    """Runs `command`, and a successor of it on SIGHUP if `replaceable`."""

    def __init__(self, command: Sequence[str], replaceable: bool) -> None:
        self._command = command
        self._replaceable = replaceable
        self._backoff = Backoff()
        self._signals: asyncio.Queue[int] = asyncio.Queue()
        self._children: list[Child] = []
        self._stopping = False

    async def run(self) -> int:
        """Supervise until told to stop, or until a worker needs a human. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._signals.put_nowait, number)
        await self._start("start")
        while True:
            child = await self._next_end()
            code, lived_s = child.ended.result(), time.monotonic() - child.started_s
            oldest = child is self._children[0]
            self._children.remove(child)
            if self._children:
                self._one_of_two_ended(oldest, code)
            elif self._stopping or not may_start_again(code):
                self._say_why(code)
                return code
            elif not await self._pause(code, lived_s):
                return 0

    async def _start(self, action: str) -> None:
        child = await Child.start(self._command)
        self._children.append(child)
        log.info("worker process started", action=action, pid=child.pid)

    async def _next_end(self) -> Child:
        """The next child that ends; signals are answered meanwhile."""
        while True:
            signalled = asyncio.create_task(self._signals.get())
            ends = [child.ended for child in self._children]
            await asyncio.wait([signalled, *ends], return_when=asyncio.FIRST_COMPLETED)
            if signalled.done():
                await self._answer(signalled.result())
            else:
                signalled.cancel()
            for child in self._children:
                if child.ended.done():
                    return child

    async def _answer(self, number: int) -> None:
        name = signal.Signals(number).name
        if number == signal.SIGHUP:
            await self._replace()
        elif self._stopping:
            log.warning("killing the worker", action="kill", signal=name)
            for child in self._children:
                child.kill()
        else:
            log.info("stopping the worker", action="stop", signal=name)
            self._stopping = True
            for child in self._children:
                child.stop()

    async def _replace(self) -> None:
        if not self._replaceable:
            log.error("cannot replace: worker.instance is not set", action="replace_refused")
        elif self._stopping or len(self._children) > 1:
            log.warning("already stopping or replacing", action="replace_refused")
        else:
            await self._start("replace")

    def _one_of_two_ended(self, oldest: bool, code: int) -> None:
        left = self._children[0].pid
        if self._stopping:
            return
        if not oldest:
            log.error(
                "the successor ended, the worker goes on",
                action="replace_failed",
                exit_code=code,
                pid=left,
            )
        else:
            log.info("the successor has taken over", action="replaced", exit_code=code, pid=left)

    async def _pause(self, code: int, lived_s: float) -> bool:
        """Wait, then start again; False when told to stop meanwhile."""
        pause_s = self._backoff.pause_s(lived_s)
        log.warning(
            "worker ended, starting it again",
            action="restart",
            exit_code=code,
            lived_s=round(lived_s, 1),
            pause_s=round(pause_s, 1),
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                while await self._signals.get() == signal.SIGHUP:
                    pass
                return False
        await self._start("start")
        return True

    def _say_why(self, code: int) -> None:
        if code == 0 or self._stopping:
            log.info("worker has stopped", action="stopped", exit_code=code)
        else:
            log.error(
                "not started again: its last line says what a human must mend",
                action="give_up",
                exit_code=code,
            )
