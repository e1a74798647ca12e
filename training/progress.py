"""Showing a fit in the terminal: one line that moves, with losses and the time that is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from training.fit import Progress
from training.fitting.fitted import Listener


@contextmanager
def shown(steps: int) -> Iterator[Listener]:
    """Show progress on standard error while the context lasts; no bar where nothing steps."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f} validation {task.fields[validation]:.4f}"),
        TextColumn("best {task.fields[best]:.4f}"),
        TimeRemainingColumn(),
    )
    nothing = float("nan")
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(
            "training", total=steps, visible=False, loss=nothing, validation=nothing, best=nothing
        )

        def step(now: Progress) -> None:
            bar.update(
                task,
                completed=now.step,
                visible=True,
                loss=now.loss,
                validation=now.validation,
                best=now.best,
            )

        yield Listener(step, bar.console.print)
