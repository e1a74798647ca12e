"""One to three workers, each a process as a user would start it, started again when they end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import psutil

from bench.processes import WORKER, BenchError
from tidecast.local.child import Child
from tidecast.settings import Settings

DOOM: Final = signal.SIGUSR2
"""See `broken_worker`; to any other worker it is the end."""
LOOK_S: Final = 0.1
"""How often the processes are looked at."""
STOP_S: Final = 20.0
READY_S: Final = 30.0


class Fleet:
    """Workers by number. One that ends without having been told to is started again at once.

    module: what `python -m` runs. The first start of a worker may be another module's (`first`),
    which is how one that is fated to die becomes an ordinary one.
    """

    def __init__(
        self, settings: Settings, folder: Path, module: Sequence[str] = WORKER, restart: bool = True
    ) -> None:
        self.restarts = 0
        self.exits: list[int] = []
        """Exit codes of those that ended by themselves, as a shell shows them."""
        self.peak_bytes = 0
        """The most memory that one worker has had."""
        self.bytes: dict[int, int] = {}
        """What each worker has now."""
        self._settings = settings
        self._folder = folder
        self._module = module
        self._restart = restart
        self._workers: dict[int, Child] = {}
        self._starts: Counter[int] = Counter()
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="fleet", daemon=True)

    def start(
        self, number: int, first: Sequence[str] | None = None, *, member: bool = True
    ) -> None:
        """Start worker `number`.

        member: whether it keeps its place in the group while it is away (`worker.instance`), as
        a worker does that is to come back; not so for one that comes and goes.
        """
        instance = f"worker-{number}" if member else None
        worker = self._settings.worker.model_copy(update={"instance": instance})
        settings = self._settings.model_copy(update={"worker": worker})
        variables = [f"{name}={value}" for name, value in settings.as_environment().items()]
        module = first or self._module
        command = ["/usr/bin/env", *variables, sys.executable, "-m", *module]
        self._starts[number] += 1
        with self._lock:
            self._workers[number] = Child(command, self.log(number), stop_limit_s=STOP_S)

    def log(self, number: int) -> Path:
        """The file that takes the output of worker `number` since its last start."""
        return self._folder / f"worker-{number}-{self._starts[number]}.log"

    def await_log(self, number: int, words: str) -> None:
        """Return when the worker has logged these words. Raises BenchError."""
        deadline = time.monotonic() + READY_S
        while words not in self.log(number).read_text(errors="replace"):
            if time.monotonic() > deadline:
                raise BenchError(f"no {words} within {READY_S:g} s in {self.log(number)}")
            time.sleep(LOOK_S)

    def kill(self, number: int) -> None:
        """SIGKILL; the watcher starts it again."""
        self._workers[number].send(signal.SIGKILL)

    def lose(self, number: int) -> None:
        """SIGKILL, and it never comes back."""
        with self._lock:
            worker = self._workers.pop(number)
        worker.kill()

    def pause(self, number: int) -> None:
        """SIGSTOP: it keeps its connections and its partitions, and does nothing."""
        self._workers[number].send(signal.SIGSTOP)

    def doom(self, number: int) -> None:
        """DOOM: a worker that knows it meets its fate at its next checkpoint."""
        self._workers[number].send(DOOM)

    def resume(self, number: int) -> None:
        """SIGCONT."""
        self._workers[number].send(signal.SIGCONT)

    def stop(self, number: int) -> None:
        """SIGTERM; returns when it has ended, and it stays ended until `start`."""
        with self._lock:
            worker = self._workers.pop(number)
        worker.stop()

    def run_to_end(self, number: int) -> tuple[int, str]:
        """Start worker `number` and return its exit code and log when it has ended by itself.

        Raises BenchError when it goes on.
        """
        with self._lock:
            self.start(number)
            worker = self._workers.pop(number)
        try:
            code = worker.wait(READY_S)
        except TimeoutError as error:
            raise BenchError(f"worker {number} works where it should refuse") from error
        finally:
            worker.stop()
        return code, self.log(number).read_text(errors="replace")

    def stop_all(self) -> None:
        """Stop every worker that is there."""
        for number in self.numbers:
            self.resume(number)
            self.stop(number)

    @property
    def numbers(self) -> list[int]:
        """The workers that are there."""
        return sorted(self._workers)

    def replace(self, number: int) -> None:
        """Start another in the place of worker `number`, which sees that and ends by itself."""
        with self._lock:
            old = self._workers.pop(number)
            self.start(number)
        try:
            old.wait(READY_S)
        except TimeoutError as error:
            raise BenchError(f"worker {number} has not made way: {error}") from error
        finally:
            old.stop()

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()
        self.stop_all()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            with self._lock:
                for number, worker in list(self._workers.items()):
                    if worker.running:
                        self._weigh(number, worker)
                    else:
                        self._bury(number, worker)

    def _bury(self, number: int, worker: Child) -> None:
        self.exits.append(worker.wait(0))
        worker.stop()
        del self._workers[number]
        if self._restart:
            self.restarts += 1
            self.start(number)

    def _weigh(self, number: int, worker: Child) -> None:
        with contextlib.suppress(psutil.Error):
            self.bytes[number] = psutil.Process(worker.pid).memory_info().rss
            self.peak_bytes = max(self.peak_bytes, self.bytes[number])
