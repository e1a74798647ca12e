from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.catalogue import EXAMPLES, SHARED
from examples.cloud_failure import AHEAD_SLOTS, CALM, FAILURE, STEP_S, history, labels

NAB = SHARED / "nab"
SLOTS = np.arange(1000, 1400)
PARTS = ("train", "validate", "test")

incidents = st.lists(st.integers(1000, 1399), max_size=4, unique=True).map(sorted)


def told(begun: list[int]) -> list[str | None]:
    """Labels where windows begin before their incidents and end after them, as NAB's do."""
    moments = np.array(begun, np.int64)
    return labels(SLOTS, moments, np.stack((moments - 30, moments + 50), axis=1))


def test_three_hours_before_an_incident_the_answer_is_failure_and_while_it_lasts_none() -> None:
    at_origin = dict(zip((SLOTS - AHEAD_SLOTS).tolist(), told([1200]), strict=True))
    before = [at_origin[slot] for slot in range(1000, 1200 - AHEAD_SLOTS)]
    assert before == [CALM] * len(before)
    assert {at_origin[slot] for slot in range(1200 - AHEAD_SLOTS, 1200)} == {FAILURE}
    assert {at_origin[slot] for slot in range(1200, 1251)} == {None}
    assert at_origin[1251] == CALM


def test_nobody_is_asked_before_a_series_has_begun() -> None:
    assert told([])[:AHEAD_SLOTS] == [None] * AHEAD_SLOTS
    assert told([])[AHEAD_SLOTS] == CALM


@given(incidents, st.integers(1000, 1399))
def test_a_label_tells_nothing_of_what_comes_after_its_slot(begun: list[int], slot: int) -> None:
    place = slot - SLOTS[0]
    assert told(begun)[place] == told([moment for moment in begun if moment <= slot])[place]


@pytest.mark.skipif(not NAB.exists(), reason="../shared/data is not there")
def test_the_recipe_cuts_by_date_with_failures_in_every_part() -> None:
    table = history(NAB)
    assert table["series_id"].n_unique() == 17
    split = tomllib.loads(EXAMPLES["cloud-failure"].recipe.read_text())["data"]["split"]
    slots = table["timestamp"].dt.epoch("s").to_numpy() // STEP_S
    failures = table["incident"].to_numpy() == FAILURE
    cuts = np.cumsum([slots.min(), *(split[f"{part}_rows"] for part in PARTS)])
    dates = [datetime.fromtimestamp(cut * STEP_S, UTC).date() for cut in cuts[1:].tolist()]
    assert dates == [date(2014, 3, 1), date(2014, 4, 12), date(2014, 4, 24)]
    for begin, end in pairwise(cuts.tolist()):
        assert 0.005 < np.mean(failures[(slots >= begin) & (slots < end)]) < 0.05
