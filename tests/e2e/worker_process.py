"""A worker as a user runs it: a process of its own, told everything by its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tidecast.settings import Settings

STOP_S: Final = 20.0


class WorkerProcess:
    """A started worker; its log is at `log`."""

    def __init__(self, settings: Settings, log: Path, *options: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tidecast", "worker", *options],
                env={**os.environ, **settings.as_environment()},
                stdout=output,
                stderr=output,
            )

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def peak_memory_bytes(self) -> int:
        """The most resident memory it has had so far; Linux tells, elsewhere it is what it has."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():
            return int(psutil.Process(self._process.pid).memory_info().rss)
        (line,) = [one for one in status.read_text().splitlines() if one.startswith("VmHWM")]
        return 1024 * int(line.split()[1])

    def kill(self) -> None:
        """SIGKILL: no chance to save anything."""
        self._process.kill()
        self._process.wait(STOP_S)

    def stop(self) -> int:
        """SIGTERM, and the exit code of the clean stop."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_S)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self, limit_s: float) -> int:
        """The exit code of a worker that ends by itself."""
        return self._process.wait(limit_s)


@contextmanager
def running_worker(settings: Settings, log: Path, *options: str) -> Iterator[WorkerProcess]:
    """A worker for the length of the block; shows its log when the block fails."""
    worker = WorkerProcess(settings, log, *options)
    try:
        yield worker
    except BaseException:
        sys.stderr.write(log.read_text(errors="replace")[-8000:])
        raise
    finally:
        if worker.running:
            worker.kill()
