"""Samples: every window with its own past and its own target, and nothing of another part."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tidecast.errors import DataError
from training.data.table import Table
from training.samples import Samples
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask

SLOTS = 40
CONTEXT = 6
STEP_S = 60
FORECAST = ForecastTask("b", horizon=3)


def table_of(labels: bool = False, known: bool = False) -> Table:
    """Two series of two channels whose values say where they are from: series, slot, channel."""
    series, slots, channels = np.indices((2, SLOTS, 2))
    values = (series * 1000 + slots * 10 + channels).astype(np.float32)
    return Table(
        ("x", "y"),
        values,
        ("a", "b"),
        6000,
        STEP_S,
        labels=values[..., 0] / 10 if labels else None,
        known=-values[..., :1] if known else None,
        covariates=("plan",) if known else (),
    )


def test_a_window_ends_at_its_origin_and_the_targets_follow() -> None:
    samples = Samples(table_of(known=True), FORECAST, CONTEXT, range(10, 20))
    batch = samples.at(np.arange(len(samples)))
    series, slots = samples.places.T
    assert (slots.min(), slots.max()) == (10, 16)
    assert len(samples) == 2 * 7
    newest = series * 1000 + slots * 10
    np.testing.assert_array_equal(batch.windows[:, -1, 0], newest)
    np.testing.assert_array_equal(batch.windows[:, 0, 0], newest - 10 * (CONTEXT - 1))
    np.testing.assert_array_equal(batch.targets, newest[:, None] + [11, 21, 31])
    np.testing.assert_array_equal(batch.origins, 6000 + slots * STEP_S)
    assert batch.future is not None
    np.testing.assert_array_equal(batch.future[..., 0], -(newest[:, None] + [10, 20, 30]))


def test_before_the_first_slot_nothing_is_known() -> None:
    samples = Samples(table_of(), FORECAST, CONTEXT, range(SLOTS))
    first = samples.at(np.array([0])).windows[0]
    assert np.isnan(first[:-1]).all()
    assert not np.isnan(first[-1]).any()


@pytest.mark.parametrize("lead", [0, 4])
@pytest.mark.parametrize(
    "task", [RegressionTask("load"), ClassificationTask("state", ("off", "on"))]
)
def test_a_label_is_of_its_lead(task: RegressionTask | ClassificationTask, lead: int) -> None:
    asked = msgspec.structs.replace(task, lead=lead)
    samples = Samples(table_of(labels=True), asked, CONTEXT, range(10, 20))
    assert samples.places[:, 1].max() == 19 - lead
    batch = samples.at(np.arange(len(samples)))
    series, slots = samples.places.T
    np.testing.assert_array_equal(batch.targets, series * 100 + slots + lead)


def test_origins_without_a_known_target_are_left_out() -> None:
    table = table_of()
    table.values[0, :, 1] = np.nan
    table.values[1, 12:, 1] = np.nan
    samples = Samples(table, FORECAST, CONTEXT, range(5, 20))
    assert samples.places.tolist() == [[1, slot] for slot in range(5, 11)]


@pytest.mark.parametrize("span", [range(5, 7), range(0)])
def test_a_span_too_short_for_a_target_is_an_error(span: range) -> None:
    with pytest.raises(DataError, match="slots 5 to 7" if span else "slots 0 to 0"):
        Samples(table_of(), FORECAST, CONTEXT, span)


def test_what_a_task_asks_for_must_be_in_the_data() -> None:
    with pytest.raises(DataError, match="'c' is not among"):
        Samples(table_of(), ForecastTask("c"), CONTEXT, range(SLOTS))
    with pytest.raises(DataError, match="no label"):
        Samples(table_of(), RegressionTask("load"), CONTEXT, range(SLOTS))
