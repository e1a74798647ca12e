"""Card payments with a thief among them: generated, since nobody publishes real ones whole.

A card has habits: how much, how often, at what hours, how far from home, and journeys on which it
pays far away. Some cards are stolen: for half a day a thief pays more, more often, at any hour, far
away or online. One payment in 160 is such a one, and many of them look like any other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator

from stream.grid import BoolArray
from training.data.waves import Ints
from training.evaluate.metrics import Numbers

BEGIN: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a file names no zone, and means UTC
CARDS: Final = 300
DAYS: Final = 90
STOLEN: Final = 0.25
"""Share of the cards that are stolen, each once."""
THEFT_HOURS: Final = 12
GENUINE, FRAUD = "genuine", "fraud"


def history(cards: int = CARDS, days: int = DAYS, seed: int = 6) -> pl.DataFrame:
    """A row a payment: series_id, timestamp, amount, kilometres (from home), online, `payment`."""
    return pl.concat(
        [
            _card(np.random.default_rng((seed, card)), f"card-{card:03}", days)
            for card in range(cards)
        ]
    )


def _card(rng: Generator, name: str, days: int) -> pl.DataFrame:
    """One card: at most one payment an hour."""
    hours = np.arange(24 * days)
    awake = 1 + np.cos(2 * np.pi * (hours % 24 - 15) / 24)  # most at three in the afternoon
    genuine = rng.random(len(hours)) < rng.uniform(1, 4) / 24 * awake
    theft = _theft(rng, hours)
    stolen = theft & (rng.random(len(hours)) < 0.5)
    paid = np.flatnonzero(genuine | stolen)
    thief = stolen[paid]
    habit = rng.normal(3, 0.5)
    amount = np.exp(rng.normal(habit + thief, 0.7))
    online = rng.random(len(paid)) < np.where(thief, 0.6, 0.25)
    away = np.where(thief, rng.exponential(300, len(paid)), _distance(rng, hours)[paid])
    return pl.DataFrame(
        {
            "series_id": [name] * len(paid),
            "timestamp": [BEGIN + timedelta(hours=int(hour)) for hour in paid],
            "amount": amount.round(2),
            "kilometres": np.where(online, 0.0, away).round(1),
            "online": online.astype(np.int64),
            "payment": np.where(thief, FRAUD, GENUINE),
        }
    )


def _theft(rng: Generator, hours: Ints) -> BoolArray:
    """Whether the card is in a thief's hands, hour by hour."""
    begin = rng.integers(len(hours)) if rng.random() < STOLEN else len(hours)
    theft: BoolArray = (hours >= begin) & (hours < begin + THEFT_HOURS)
    return theft


def _distance(rng: Generator, hours: Ints) -> Numbers:
    """Kilometres from home, hour by hour: near it, but for two journeys of some days."""
    distance = rng.exponential(5, len(hours))
    for _ in range(2):
        begin = rng.integers(len(hours))
        distance[begin : begin + rng.integers(48, 200)] += rng.uniform(50, 1500)
    return distance
