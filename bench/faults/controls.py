"""Negative controls: each leaves a rule out, under a fault that shows it."""

from __future__ import annotations

from typing import Final

from bench.faults.fault import Fault
from bench.faults.worker_faults import die_at_checkpoint, kill, sleep_at_checkpoint

BROKEN: Final = "bench.faults.broken_worker"

SLOTS: Final = 4
"""So many series that no checkpoint holds all of a partition's, on a slow machine too: one that
does is a state to go on from, however old it is, and shows nothing."""

CONTROLS: Final = (
    Fault(
        name="control-no-fence",
        group="control",
        about="no fence, a worker that sleeps before a checkpoint and wakes, SIGKILL of all",
        act=sleep_at_checkpoint,
        slots=SLOTS,
        module=(BROKEN, "fence"),
    ),
    Fault(
        name="control-no-cursor",
        group="control",
        about="no cursor, SIGKILL of a worker after a checkpoint, before its commit",
        act=die_at_checkpoint,
        module=(BROKEN, "cursor"),
    ),
    Fault(
        name="control-take",
        group="control",
        about="Faust's take() with its own commits, SIGKILL of the worker",
        act=kill,
        workers=1,
        module=("bench.faults.take_worker", "worker"),
    ),
)
