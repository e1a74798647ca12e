from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.tuning.toy import opened
from training.auto.candidates import Candidate, Plan
from training.auto.course import Course
from training.config import recipe_of

SECONDS = 1000.0
FIRSTS = 9


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(*opened(tmp_path), seconds=SECONDS)


def followed(
    course: Course, figure: Callable[[Plan], float | None], seconds: float
) -> list[Candidate]:
    """The candidates of a choice in which each takes its share, or `seconds` where it has none."""
    found: list[Candidate] = []
    while (plan := course.next(found)) is not None:
        took = min(plan.share_s, seconds)
        found.append(Candidate(plan, figure(plan), "", took))
    return found


def by_family(plan: Plan) -> float:
    order = ["gru", "streaming-gru", "mlp", "ridge"]
    return order.index(plan.family) if plan.family in order else 9.0


def test_families_come_first_then_variations_of_the_best_two_then_ensembles(course: Course) -> None:
    found = followed(course, by_family, seconds=60)
    plans = [one.plan for one in found]
    assert plans[0].name == "ridge-1"
    assert len({plan.family for plan in plans[:FIRSTS]}) == FIRSTS
    assert not any(plan.drawn for plan in plans[:FIRSTS])
    middle, last = plans[FIRSTS:-2], plans[-2:]
    assert len(middle) >= 4
    assert {plan.family for plan in middle} == {"gru", "streaming-gru"}
    assert all(plan.drawn for plan in middle)
    assert [plan.name.split("-")[0] for plan in last] == ["mean", "stacked"]
    assert {name.rpartition("-")[0] for name in last[0].members} == {"gru", "streaming-gru", "mlp"}
    assert sum(one.seconds for one in found) <= SECONDS + 60


def test_each_family_has_a_fair_share_of_what_is_left(course: Course) -> None:
    first = course.next([])
    assert first is not None
    assert first.share_s == pytest.approx(0.6 * SECONDS / FIRSTS)
    second = course.next([Candidate(first, 1.0, "", 1.0)])
    assert second is not None
    assert second.share_s == pytest.approx((0.6 * SECONDS - 1) / (FIRSTS - 1))


def test_a_family_that_takes_too_long_leaves_the_others_half_of_their_share(course: Course) -> None:
    first = course.next([])
    assert first is not None
    second = course.next([Candidate(first, 1.0, "", 0.6 * SECONDS)])
    assert second is not None
    assert second.share_s == pytest.approx(0.3 * SECONDS / FIRSTS)
    after = course.next([Candidate(first, 1.0, "", SECONDS)])
    assert after is None


def test_every_plan_is_a_recipe(course: Course) -> None:
    for one in followed(course, by_family, seconds=100):
        recipe_of(one.plan.recipe, one.plan.name)


def test_what_fails_is_neither_varied_nor_joined(course: Course) -> None:
    found = followed(course, lambda plan: None if plan.family == "gru" else by_family(plan), 60)
    for one in found:
        assert one.plan.family != "gru" or one.plan.name == "gru-1"
        assert "gru-1" not in one.plan.members


def test_without_time_the_recipe_itself_is_tried_and_no_more(tmp_path: Path) -> None:
    course = Course(*opened(tmp_path), seconds=0.0)
    found = followed(course, by_family, seconds=0)
    assert [one.plan.name for one in found] == ["ridge-1"]


def test_a_choice_goes_on_from_its_candidates_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    recipe, source = opened(tmp_path)
    found = followed(Course(recipe, source, SECONDS), by_family, seconds=60)
    for count in range(0, len(found), 3):
        again = Course(recipe, source, SECONDS).next(found[:count])
        assert again == found[count].plan


def test_streaming_families_are_joined_with_none_that_sees_more_channels(tmp_path: Path) -> None:
    recipe, source = opened(tmp_path)
    values = source.table.values.repeat(2, axis=2)
    two = source._replace(table=source.table._replace(values=values, channels=("value", "wind")))
    found = followed(Course(recipe, two, SECONDS), by_family, seconds=60)
    members = found[-1].plan.members
    assert len(members) == 3
    assert not any(name.startswith("streaming") for name in members)
