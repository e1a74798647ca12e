"""Trials made one after another here, or several at a time in processes of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process

import torch

from tidecast.errors import SettingsError
from training.fitting.fitted import Listener
from training.tuning.attempt import SILENT, Bench, Turn, attempt
from training.tuning.trials import Outcome

Ask = Callable[[], Turn | None]
Tell = Callable[[int, Outcome], None]


def make_trials(bench: Bench, ask: Ask, tell: Tell, jobs: int, listener: Listener) -> None:
    """Make trials until no more are asked for, `jobs` at a time.

    Raises SettingsError when a process was ended from outside.
    """
    if jobs == 1:
        while (turn := ask()) is not None:
            tell(turn.asked.number, attempt(bench, turn, listener))
        return
    try:
        with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (jobs,)) as pool:
            _share_out(pool, bench, ask, tell, jobs)
    except BrokenProcessPool as error:
        raise SettingsError(
            "a process of the search was ended from outside: is there memory for that many? The "
            "same command with fewer --jobs goes on from here"
        ) from error


def _share_out(pool: ProcessPoolExecutor, bench: Bench, ask: Ask, tell: Tell, jobs: int) -> None:
    running: dict[Future[Outcome], Turn] = {}
    while True:
        while len(running) < jobs and (turn := ask()) is not None:
            running[pool.submit(_attempt, bench, turn)] = turn
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            tell(running.pop(future).asked.number, future.result())


def _attempt(bench: Bench, turn: Turn) -> Outcome:
    return attempt(bench, turn, SILENT)


def _begin(jobs: int) -> None:
    """In a new process: take a share of the cores, and do not outlive the one that began it."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // jobs))
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()


def _leave_with(sentinel: int) -> None:
    connection.wait([sentinel])
    # A kill leaves no time to say goodbye to the processes it had begun.
    os._exit(1)
