from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import pytest

from tidecast.errors import SettingsError
from training.tuning.home import held
from training.tuning.search import Method, SearchConfig
from training.tuning.space import Dimension
from training.tuning.trials import FILE, Outcome, Trials

PENALTY, CONTEXT = "model.penalty", "model.context"
SPACE = {
    PENALTY: Dimension(low=0.01, high=100.0, log=True),
    CONTEXT: Dimension(choices=(24, 48, 96)),
}
OPTUNAS_PATIENCE_S: Final = 30.0
"""So long it waits for a lock of which nothing is heard."""


def search(method: Method = "random", trials: int = 50) -> SearchConfig:
    return SearchConfig(SPACE, method, trials)


def made(trials: Trials, count: int = 1000) -> list[dict[str, Any]]:
    """Ask for, and tell of, so many trials; their figure is the penalty."""
    found: list[dict[str, Any]] = []
    while len(found) < count and (asked := trials.ask()) is not None:
        found.append(asked.settings)
        trials.tell(asked.number, Outcome("done", asked.settings[PENALTY], "", 1.0))
    return found


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(
    method: Method, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    wanted = search(method=method, trials=14)
    expected = made(Trials(whole, wanted))
    found = [made(Trials(parts, wanted), count) for count in (5, 6, 1000)]
    assert [len(part) for part in found] == [5, 6, 3]
    assert [one for part in found for one in part] == expected
    assert len({one[PENALTY] for one in expected}) == 14


def test_more_trials_may_be_asked_for_later(tmp_path: Path) -> None:
    assert len(made(Trials(tmp_path, search(trials=2)))) == 2
    assert len(made(Trials(tmp_path, search(trials=5)))) == 3


def test_a_trial_that_was_running_at_a_kill_is_tried_again_with_its_settings(
    tmp_path: Path,
) -> None:
    wanted = search(trials=4)
    killed = Trials(tmp_path, wanted)
    made(killed, 1)
    lost = [killed.ask(), killed.ask()]
    again = Trials(tmp_path, wanted)
    twice = again.ask()
    assert twice is not None
    after = Trials(tmp_path, wanted)  # And killed once more.
    first, second = after.ask(), after.ask()
    assert {str(one.settings) for one in lost if one} == {
        str(one.settings) for one in (first, second) if one
    }
    assert {one.number for one in lost if one} == {one.first for one in (first, second) if one}
    for one in (first, second):
        assert one is not None
        after.tell(one.number, Outcome("done", 1.0, "", 1.0))
    assert len(made(after)) == 1
    assert len(after.over()) == 4


def test_a_grid_is_made_whole_whatever_stops_it(tmp_path: Path) -> None:
    space = {
        CONTEXT: Dimension(choices=(24, 48, 96)),
        PENALTY: Dimension(low=1.0, high=2.0, step=0.5),
    }
    wanted = SearchConfig(space, method="grid")
    found = made(Trials(tmp_path, wanted), 4)
    lost = Trials(tmp_path, wanted).ask()
    assert lost is not None
    rest = Trials(tmp_path, wanted)
    assert rest.most == 9
    found += made(rest)
    assert sorted((one[CONTEXT], one[PENALTY]) for one in found) == sorted(
        (context, penalty) for context in (24, 48, 96) for penalty in (1.0, 1.5, 2.0)
    )


def test_what_came_of_each_trial_is_kept(tmp_path: Path) -> None:
    trials = Trials(tmp_path, search(trials=3))
    outcomes = [
        Outcome("done", 0.5, "", 2.5),
        Outcome("failed", None, "a context is too long", 0.1),
        Outcome("pruned", None, "", 1.0),
    ]
    for outcome in outcomes:
        asked = trials.ask()
        assert asked is not None
        trials.tell(asked.number, outcome)
    assert [one.outcome for one in Trials(tmp_path, search(trials=3)).over()] == outcomes


def test_a_folder_has_one_command_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path / "runs" / "a") as home:
        assert home.is_dir()
        with pytest.raises(SettingsError, match="another command is at work"), held(home):
            pass
    with held(home):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot write"), held(tmp_path / "file" / "a"):
        pass


def test_half_an_entry_and_a_lock_left_by_a_kill_cost_neither_trials_nor_time(
    tmp_path: Path,
) -> None:
    wanted = search(trials=6)
    before = made(Trials(tmp_path, wanted), 3)
    journal = tmp_path / FILE
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"gone')
    journal.with_name("trials.log.lock").symlink_to(journal)
    begun = time.monotonic()
    after = made(Trials(tmp_path, wanted))
    assert time.monotonic() - begun < OPTUNAS_PATIENCE_S
    assert len(after) == 3
    assert [one.settings for one in Trials(tmp_path, wanted).over()] == before + after
