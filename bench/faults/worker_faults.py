"""Workers that die, sleep, or come and go."""

from __future__ import annotations

from typing import Final

from bench.faults.fault import Fault, Stage


def kill(stage: Stage) -> None:
    """SIGKILL one worker."""
    stage.fleet.kill(stage.random.choice(stage.fleet.numbers))


WORKER_FAULTS: Final = (
    Fault(
        name="worker-kill",
        group="worker",
        about="SIGKILL of one of two workers at a random moment",
        act=kill,
        outage_bar_s=15,
    ),
)
