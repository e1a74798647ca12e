"""The trials of one search, as Optuna keeps them in a file: what comes next, and what came of it.

The file is a journal that is only ever appended to, so that a search goes on after any end.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, final

import optuna
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState

from training.tuning.search import SearchConfig
from training.tuning.space import chosen, grid

FILE: Final = "trials.log"
STUDY: Final = "search"
MESSAGE, AGAIN, SECONDS = "message", "again", "seconds"
"""Names under which a trial bears what Optuna has no place for."""
COMPARED: Final = 4
"""Fits that have come as far, before one is judged by their median."""

State = Literal["done", "pruned", "failed"]


class Outcome(NamedTuple):
    """What came of a trial. figure: when done. message: why not, when failed. seconds: it took."""

    state: State
    figure: float | None
    message: str
    seconds: float


class Asked(NamedTuple):
    """A trial that is to be made. storage_id: its id in the study's file.

    settings: by path, as they go into the recipe. first: the number that it bore before it was
    interrupted.
    """

    number: int
    storage_id: int
    settings: dict[str, Any]
    first: int


class Tried(NamedTuple):
    """A trial that is over. settings: by path, as they went into the recipe."""

    number: int
    settings: dict[str, Any]
    outcome: Outcome


STATES: Final[dict[State, TrialState]] = {
    "done": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


@final
class Trials:
    """One process asks and tells; others only report how a trial is doing."""

    def __init__(self, home: Path, search: SearchConfig) -> None:
        """home: a folder of this search alone, which is there.

        A trial that was running when its process ended comes again, first of all. Raises
        SettingsError when a grid would have no end.
        """
        self._search = search
        self._grid = list(grid(search.space)) if search.method == "grid" else []
        self._distributions = {path: one.distribution for path, one in search.space.items()}
        _tidy_up(home / FILE)
        self._study = open_study(home, prune=search.prune)
        self._asked: dict[int, Trial] = {}
        self._resume()

    @property
    def most(self) -> int:
        """How many trials there will be."""
        return min(self._search.trials, len(self._grid) or self._search.trials)

    def ask(self) -> Asked | None:
        """The next trial, which is running from now on; None when there have been enough."""
        begun = self._begun()
        waiting = any(trial.state == TrialState.WAITING for trial in begun)
        if len(begun) >= self.most and not waiting:
            return None
        if self._grid and not waiting:
            self._study.enqueue_trial(self._grid[len(begun)])
        self._study.sampler = _sampler(self._search, len(self._study.trials))
        trial = self._study.ask(self._distributions)
        self._asked[trial.number] = trial
        settings = chosen(self._search.space, trial.params)
        return Asked(trial.number, trial._trial_id, settings, self._first(trial.number))

    def tell(self, number: int, outcome: Outcome) -> None:
        """End a trial that was asked for."""
        trial = self._asked.pop(number)
        trial.set_user_attr(MESSAGE, outcome.message)
        trial.set_user_attr(SECONDS, outcome.seconds)
        self._study.tell(trial, outcome.figure, STATES[outcome.state])

    def over(self) -> list[Tried]:
        """All trials that are over, in order."""
        names = {state: name for name, state in STATES.items()}
        return [
            Tried(
                trial.number,
                chosen(self._search.space, trial.params),
                _outcome(trial, names[trial.state]),
            )
            for trial in self._begun()
            if trial.state in names
        ]

    def _first(self, number: int) -> int:
        trials = self._study.trials
        while (earlier := trials[number].user_attrs.get(AGAIN)) is not None:
            number = earlier
        return number

    def _begun(self) -> list[FrozenTrial]:
        """Trials that were asked for or wait for it; of one that comes again, the newest."""
        trials = self._study.trials
        again = {trial.user_attrs.get(AGAIN) for trial in trials}
        return [trial for trial in trials if trial.number not in again]

    def _resume(self) -> None:
        for trial in self._begun():
            if trial.state == TrialState.RUNNING:
                self._study.enqueue_trial(trial.params, user_attrs={AGAIN: trial.number})
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)


def _tidy_up(journal: Path) -> None:
    """Take away what a writer that was killed, or had no room on the disk, left of its last entry.

    Nobody else writes: the folder is held, and processes of an earlier search ended with it. Optuna
    would wait half a minute for the lock, and never again read a file with half a line within.
    """
    with suppress(RuntimeError):  # There is none.
        JournalFileSymlinkLock(str(journal)).release()
    if journal.exists():
        whole = journal.read_bytes().rfind(b"\n") + 1
        os.truncate(journal, whole)


def open_study(home: Path, *, prune: bool) -> optuna.Study:
    """The study in that folder, begun if there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=STUDY,
        storage=JournalStorage(JournalFileBackend(str(home / FILE))),
        load_if_exists=True,
        sampler=RandomSampler(),
        pruner=MedianPruner(COMPARED, n_min_trials=COMPARED) if prune else NopPruner(),
    )


def _sampler(search: SearchConfig, number: int) -> BaseSampler:
    """A sampler of its own for each trial: one that goes on after a kill would repeat itself."""
    seed = search.seed + number
    return TPESampler(seed=seed) if search.method == "bayesian" else RandomSampler(seed=seed)


def _outcome(trial: FrozenTrial, state: State) -> Outcome:
    told = trial.user_attrs
    figure = trial.value if state == "done" else None
    return Outcome(state, figure, told.get(MESSAGE, ""), told.get(SECONDS, 0.0))
