"""The guard: a tiny process between us and a server, so that the server never outlives us.

Run by path, on the standard library alone: `python -I -S guard.py STOP_LIMIT_S COMMAND...`.
It starts the command and prints its process id. When its standard input ends, because we closed
the pipe or were killed, it stops the command. On Linux the kernel also kills the command when the
guard itself is killed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from types import FrameType
from typing import Final

PR_SET_PDEATHSIG: Final = 1
LIFELINE: Final = 0
"""Standard input, a pipe whose other end only our parent holds."""
PARENT_CHECK_S: Final = 1.0
"""A process forked from our parent may hold the pipe open, so we also look who our parent is."""


def main() -> int:
    """Start the command, watch over it, and return its exit status as a shell would."""
    stop_limit_s, command = float(sys.argv[1]), sys.argv[2:]
    parent = os.getppid()
    child_ended = _wake_on(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    child = subprocess.Popen(  # noqa: S603 the command is what we are for
        command, stdin=subprocess.DEVNULL, stdout=2, preexec_fn=_die_with_us
    )
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    watch(child, parent, child_ended)
    stop(child, stop_limit_s)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def watch(child: subprocess.Popen[bytes], parent: int, wake: int) -> None:
    """Return when the child ends, the lifeline ends, or a signal tells us to stop."""
    while child.poll() is None and os.getppid() == parent:
        ready, _, _ = select.select([LIFELINE, wake], [], [], PARENT_CHECK_S)
        if wake in ready and set(os.read(wake, 64)) != {signal.SIGCHLD}:
            return
        if LIFELINE in ready and not os.read(LIFELINE, 64):
            return


def stop(child: subprocess.Popen[bytes], limit_s: float) -> None:
    """Ask the child to end; kill it when it has not within the limit."""
    child.terminate()
    try:
        child.wait(limit_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _wake_on(*signals: int) -> int:
    """A pipe that gets one byte, the signal's number, for each of these signals."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, _noted)
    return read_end


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The byte in the pipe says it all; a handler must exist for it to be written."""


def _die_with_us() -> None:
    """In the new child: have the kernel kill it when the guard dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
