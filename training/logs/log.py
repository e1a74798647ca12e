"""What is logged of a run, and where: the user's choice, or nowhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, final

from training.fit import Progress
from training.fitting.fitted import Listener

Kind = Literal["tensorboard", "mlflow"]


class RunLog(Protocol):
    """Where one run is written: one implementation a file."""

    def settings(self, values: Mapping[str, str]) -> None:
        """What the run follows from, by dotted path; once, at its beginning."""

    def scalar(self, name: str, value: float, step: int) -> None:
        """One number of a step, such as its loss."""

    def figure(self, name: str, value: float) -> None:
        """One number of the whole run."""

    def close(self) -> None:
        """Write what is not yet written, and end the run."""


@final
class Course:
    """The course of one run, written to its log; to none where nobody asked for one."""

    def __init__(self, log: RunLog | None) -> None:
        self._log = log

    def heard(self, listener: Listener) -> Listener:
        """A listener whose steps are logged: loss, learning rate, and each new validation."""
        log = self._log
        if log is None:
            return listener
        newest = math.nan

        def step(now: Progress) -> None:
            nonlocal newest
            log.scalar("loss", now.loss, now.step)
            log.scalar("learning_rate", now.rate, now.step)
            if now.validation != newest and not math.isnan(now.validation):
                log.scalar("validation", now.validation, now.step)
                newest = now.validation
            listener.step(now)

        return listener._replace(step=step)

    def figures(self, found: Mapping[str, Any]) -> None:
        """Log all numbers of a mapping, by dotted names."""
        for name, value in flat(found).items():
            if self._log is not None and isinstance(value, int | float):
                self._log.figure(name, float(value))


@contextmanager
def open_log(
    kind: Kind | None, runs: Path, name: str, recipe: Mapping[str, Any]
) -> Iterator[Course]:
    """Log a run below `runs` while the context lasts, with its recipe as TOML has it.

    Raises SettingsError when the package is missing, naming the command that installs it, or when
    the log cannot be written.
    """
    if kind is None:
        yield Course(None)
        return
    with closing(_open(kind, runs, name, str(recipe["name"]))) as log:
        log.settings({path: str(value) for path, value in flat(recipe).items()})
        yield Course(log)


def _open(kind: Kind, runs: Path, name: str, experiment: str) -> RunLog:
    # Imported here: whoever wants no log needs neither package.
    if kind == "tensorboard":
        from training.logs.tensorboard import TensorBoardLog

        return TensorBoardLog(runs / "tensorboard" / name)
    from training.logs.mlflow import MlflowLog

    return MlflowLog(runs, experiment, name)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested tables as one, by dotted names; lists stay whole."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found
