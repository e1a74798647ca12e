"""Showing a search in the terminal: how far it is, the best figure, and the fit at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from training.fit import Progress
from training.fitting.fitted import Listener


class Shown(NamedTuple):
    """listener: shows fits. far: is told how much is done, of how much, and the best figure."""

    listener: Listener
    far: Callable[[float, float, float | None], None]


@contextmanager
def search_shown(what: str) -> Iterator[Shown]:
    """Show progress on standard error while the context lasts. what: is counted."""
    columns = (
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("best {task.fields[best]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[fit]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, best="–", fit="")

        def step(now: Progress) -> None:
            bar.update(task, fit=f"step {now.step}, validation {now.validation:.4f}")

        def far(done: float, of: float, best: float | None) -> None:
            shown = "–" if best is None else f"{best:.4f}"
            bar.update(task, completed=done, total=of, best=shown, fit="")

        yield Shown(Listener(step, bar.console.print), far)
