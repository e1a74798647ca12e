from __future__ import annotations

import numpy as np
import pytest

from tidecast.errors import DataError
from training.batches import TableBatches
from training.config import FitConfig
from training.data.table import Split, Table, split


def table(slots: int) -> Table:
    """Two series whose values are their own slot numbers."""
    values = np.tile(np.arange(slots, dtype=np.float32)[:, None], (2, 1, 1))
    return Table(("a", "b"), values, ("value",), 0, 60)


def test_the_split_is_by_time_and_batches_come_from_the_first_part() -> None:
    history = table(1000)
    cut = split(history, 0.2, 0.1, horizon=24)
    assert cut == Split(700, 900, 1000)
    fit = FitConfig(batch=16, length=100)
    batches = TableBatches(history, cut, fit, seed=1)
    pieces = [batches.train(step) for step in range(40)]
    assert max(piece.values.max().item() for piece in pieces) < 700
    assert pieces[0].values.shape == (16, 100)
    assert (pieces[0].times == pieces[0].values * 60).all()
    assert (pieces[3].values == TableBatches(history, cut, fit, seed=1).train(3).values).all()
    assert batches.validation.values[0, batches.first].item() == 700
    assert batches.validation.values[0, -1].item() == 899


def test_too_little_history_is_an_error() -> None:
    with pytest.raises(DataError, match="the horizon"):
        split(table(100), 0.2, 0.2, horizon=24)
