"""The data that are generated: the same each time, and labels that do not look ahead."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from examples import fraud, price_direction
from examples.price_direction import DAY_SLOTS, directions
from training.evaluate.metrics import Numbers

moves = arrays(np.float64, DAY_SLOTS + 20, elements=st.floats(-0.1, 0.1))


def test_the_same_seed_makes_the_same_payments_and_another_seed_others() -> None:
    first, again, other = (fraud.history(cards=4, days=20, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_one_payment_in_some_hundreds_is_a_thiefs_and_no_card_pays_twice_an_hour() -> None:
    payments = fraud.history()
    assert 0.003 < np.mean(payments["payment"].to_numpy() == fraud.FRAUD) < 0.01
    assert not payments.select("series_id", "timestamp").is_duplicated().any()
    assert (payments["amount"] > 0).all()


def test_a_theft_lasts_half_a_day() -> None:
    thefts = fraud.history().filter(pl.col("payment") == fraud.FRAUD).group_by("series_id")
    lasted = thefts.agg(pl.col("timestamp").max() - pl.col("timestamp").min())["timestamp"]
    assert (lasted.dt.total_hours() < fraud.THEFT_HOURS).all()


@given(moves, st.integers(DAY_SLOTS, DAY_SLOTS + 19))
def test_a_direction_follows_from_moves_up_to_its_own(found: Numbers, slot: int) -> None:
    assert directions(found)[slot] == directions(found[: slot + 1])[slot]


def test_directions_are_the_signs_of_moves_that_are_large_for_their_day() -> None:
    day = np.full(DAY_SLOTS, 0.01)
    assert directions(np.concatenate((day, [0.02]))) == [None] * DAY_SLOTS + ["up"]
    assert directions(np.concatenate((day, [-0.02])))[-1] == "down"
    assert directions(np.concatenate((day, [0.004])))[-1] == "flat"


def test_prices_are_made_of_moves_whose_direction_they_show() -> None:
    table = price_direction.history(instruments=1, slots=500)
    rose = table["price"].diff() > 0
    assert rose.filter(table["direction"] == "up").all()
    assert not rose.filter(table["direction"] == "down").any()
    counts = table["direction"].drop_nulls().value_counts()["count"].to_list()
    assert len(counts) == 3
    assert min(counts) > 0.2 * sum(counts)
