from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.training.data.writing import table_of, write
from tidecast.errors import DataError, SettingsError
from training.config import read_recipe
from training.data.cleaning.deletion import DeleteSeries, DeleteSlots
from training.data.cleaning.filling import BackwardFill, ForwardFill, LinearFill, SeasonalFill
from training.data.cleaning.imputation import ModelFill
from training.data.cleaning.outliers import Hampel, MovingMedian, OutOfRange, median
from training.data.cleaning.pipeline import AnyStep, Cleaning, clean
from training.data.cleaning.regrid import Regrid
from training.data.table import Split, Table
from training.data.waves import Floats

NAN = np.nan
SLOTS = 24
CUT = Split(12, 18, 24)
STEPS: tuple[AnyStep, ...] = (
    OutOfRange(low=-1, high=1),
    Hampel(width=3),
    Hampel(width=5, median=True),
    MovingMedian(),
    DeleteSeries(most_missing=0.5),
    DeleteSlots(shortest=2),
    LinearFill(),
    ForwardFill(longest=2),
    BackwardFill(),
    SeasonalFill(period=5),
    ModelFill(lags=2, rounds=2),
)
few = settings(max_examples=25, deadline=None)
VALUE_STEPS = tuple(step for step in STEPS if not step.reshapes)
histories = arrays(np.float32, (2, SLOTS, 2), elements=st.just(NAN) | st.floats(-5, 5, width=32))


def name(step: AnyStep) -> str:
    return type(step).__name__


def one(step: AnyStep, series: list[float]) -> tuple[list[float], int]:
    """A step on one series, all of which is the training part."""
    end = len(series)
    cleaned = step.apply(table_of([series]), Split(end, end, end))
    return cleaned.table.values[0, :, 0].tolist(), cleaned.changed


@pytest.mark.parametrize("step", STEPS, ids=name)
@few
@given(before=histories, after=histories)
def test_no_step_lets_what_comes_after_a_boundary_change_what_is_before(
    step: AnyStep, before: Floats, after: Floats
) -> None:
    for boundary in (CUT.validate, CUT.test):
        other = np.concatenate([before[:, :boundary], after[:, boundary:]], axis=1)
        try:
            first = step.apply(table_of(before), CUT).table
        except DataError:
            return  # no series is left
        second = step.apply(table_of(other), CUT).table
        # A regression's last digit depends on how many rows it answers for at once.
        exact = not isinstance(step, ModelFill)
        same = first.values[:, :boundary], second.values[:, :boundary]
        np.testing.assert_allclose(*same, rtol=0 if exact else 1e-5, atol=0)


@pytest.mark.parametrize("step", VALUE_STEPS, ids=name)
@few
@given(before=histories)
def test_the_count_is_that_of_the_values_that_differ(step: AnyStep, before: Floats) -> None:
    cleaned = step.apply(table_of(before), CUT)
    same = (cleaned.table.values == before) | (np.isnan(before) & np.isnan(cleaned.table.values))
    assert cleaned.changed == (~same).sum()


@pytest.mark.parametrize(
    "step",
    [LinearFill(), ForwardFill(), BackwardFill(), SeasonalFill(period=5), ModelFill(rounds=2)],
    ids=name,
)
@few
@given(before=histories)
def test_filling_changes_no_known_value(step: AnyStep, before: Floats) -> None:
    filled = step.apply(table_of(before), CUT).table.values
    np.testing.assert_array_equal(filled[~np.isnan(before)], before[~np.isnan(before)])


@pytest.mark.parametrize("step", VALUE_STEPS, ids=name)
def test_a_channel_that_is_not_named_stays(step: AnyStep) -> None:
    values = np.random.default_rng(1).normal(0, 5, (2, SLOTS, 2)).astype(np.float32)
    values[:, 3:6] = NAN
    chosen = msgspec.structs.replace(step, channels=("channel-1",))
    cleaned = chosen.apply(table_of(values), CUT).table
    np.testing.assert_array_equal(cleaned.values[..., 0], values[..., 0])
    wrong = msgspec.structs.replace(step, channels=("load",))
    with pytest.raises(DataError, match="'load'; the data has channel-0, channel-1"):
        wrong.apply(table_of(values), CUT)


@given(arrays(np.float32, (7, 5), elements=st.just(NAN) | st.floats(-5, 5, width=32)))
def test_the_median_is_that_of_the_known_values(values: Floats) -> None:
    expected = [np.median(row[~np.isnan(row)]) if (~np.isnan(row)).any() else NAN for row in values]
    np.testing.assert_allclose(median(values), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("step", "before", "after", "changed"),
    [
        (OutOfRange(0, 10), [1, -1, 11, 10], [1, NAN, NAN, 10], 2),
        (OutOfRange(high=10), [1, -1, 11, NAN], [1, -1, NAN, NAN], 1),
        (Hampel(5), [1, 2, 1, 99, 2, 1, 2], [1, 2, 1, NAN, 2, 1, 2], 1),
        (Hampel(5, median=True), [1, 2, 1, 99, 2, 1, 2], [1, 2, 1, 2, 2, 1, 2], 1),
        (Hampel(5), [0, 0, 0, 7, 0, 0, 0], [0, 0, 0, 7, 0, 0, 0], 0),
        (MovingMedian(3), [1, 9, 2, NAN, 4], [5, 2, 5.5, NAN, 4], 3),
        (LinearFill(), [NAN, 1, NAN, NAN, 4, NAN], [NAN, 1, 2, 3, 4, NAN], 2),
        (LinearFill(longest=1), [1, NAN, NAN, 4, NAN, 6], [1, NAN, NAN, 4, 5, 6], 1),
        (ForwardFill(), [NAN, 1, NAN, NAN, 4, NAN], [NAN, 1, 1, 1, 4, 4], 3),
        (ForwardFill(longest=1), [1, NAN, NAN, 4], [1, 1, NAN, 4], 1),
        (BackwardFill(longest=1), [NAN, NAN, 4, NAN], [NAN, 4, 4, NAN], 1),
        (SeasonalFill(3), [1, 2, 3, NAN, 5, 6, NAN], [1, 2, 3, 1, 5, 6, 1], 2),
        (SeasonalFill(3, seasons=1), [1, 2, 3, NAN, 5, 6, NAN], [1, 2, 3, 1, 5, 6, NAN], 1),
        (DeleteSlots(shortest=2), [1, NAN, 3, NAN, 5, 6], [NAN, NAN, NAN, NAN, 5, 6], 2),
    ],
)
def test_steps_do_what_their_names_say(
    step: AnyStep, before: list[float], after: list[float], changed: int
) -> None:
    found, count = one(step, before)
    np.testing.assert_array_equal(found, after)
    assert count == changed


def test_a_slot_without_one_channel_loses_the_others() -> None:
    values = [[[1, 2], [NAN, 4], [5, 6]]]
    cleaned = DeleteSlots().apply(table_of(values), Split(3, 3, 3))
    np.testing.assert_array_equal(cleaned.table.values, [[[1, 2], [NAN, NAN], [5, 6]]])


def test_series_without_enough_history_leave_with_their_labels() -> None:
    values = np.zeros((3, SLOTS))
    values[1, :7] = NAN
    values[2, 12:] = NAN  # beyond the training part
    table = table_of(values, labels=np.tile(np.arange(3, dtype=np.float32)[:, None], SLOTS))
    cleaned = DeleteSeries(0.5).apply(table, CUT)
    assert (cleaned.table.names, cleaned.changed) == (("series-0", "series-2"), 1)
    assert cleaned.table.labels is not None
    assert cleaned.table.labels[:, 0].tolist() == [0, 2]
    with pytest.raises(DataError, match=r"leaves none of 3 series.*raise most_missing"):
        DeleteSeries(0.5).apply(table_of(np.full((3, SLOTS), NAN)), CUT)


def test_the_model_finds_a_linear_relation_between_channels_again() -> None:
    rng = np.random.default_rng(2)
    load = rng.normal(100, 20, 400)
    values = np.stack([load, 3 * load - 40], axis=-1)[None].astype(np.float32)
    holes = values.copy()
    holes[0, rng.random(400) < 0.1, 1] = NAN
    cut = Split(300, 350, 400)
    cleaned = ModelFill(lags=1).apply(table_of(holes), cut)
    assert cleaned.changed == np.isnan(holes).sum() > 20
    np.testing.assert_allclose(cleaned.table.values, values, rtol=0.01)
    empty = holes.copy()
    empty[..., 1] = NAN
    assert ModelFill().apply(table_of(empty), cut).changed == 0


@pytest.mark.parametrize(
    ("rule", "combined"),
    [("mean", [2, NAN, 5]), ("sum", [2, NAN, 10]), ("last", [2, NAN, 4]), ("max", [2, NAN, 6])],
)
def test_regridding_starts_where_the_workers_slots_do(rule: str, combined: list[float]) -> None:
    values = np.array([[2, NAN, NAN, 6, 4]], np.float32)
    table = table_of(values, step_seconds=60, labels=values)._replace(first=60)
    step = Regrid(120, "mean" if rule == "mean" else rule)  # type: ignore[arg-type]
    coarser, gone = step.apply(table, CUT)
    assert (coarser.first, coarser.step_seconds, gone) == (0, 120, 2)
    np.testing.assert_array_equal(coarser.values[0, :, 0], combined)
    assert coarser.labels is not None
    np.testing.assert_array_equal(coarser.labels, [[2, NAN, 4]])


def test_a_finer_grid_is_refused() -> None:
    with pytest.raises(DataError, match="has steps of 3600 s; give a multiple of that"):
        Regrid(60).apply(table_of([[1, 2]]), CUT)


def halves(table: Table) -> Split:
    slots = table.values.shape[1]
    return Split(slots // 2, slots * 3 // 4, slots)


def test_the_pipeline_keeps_order_counts_and_leaves_the_test_part_to_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    values = np.array([[1, 99, 3, NAN, 5, 6, 99, NAN]], np.float32)
    steps = (OutOfRange(high=9), ForwardFill())
    with caplog.at_level("INFO"):
        cleaned, records = clean(table_of(values), Cleaning(steps), halves)
    np.testing.assert_array_equal(cleaned.values[0, :, 0], [1, 1, 3, 3, 5, 6, 99, NAN])
    assert [(record["step"], record["changed"]) for record in records] == [
        ("out_of_range", 1),
        ("forward", 2),
    ]
    assert "cleaning: out_of_range changed 1 values" in caplog.text
    everywhere, _ = clean(table_of(values), Cleaning(steps, test=True), halves)
    np.testing.assert_array_equal(everywhere.values[0, :, 0], [1, 1, 3, 3, 5, 6, 6, 6])
    coarser, records = clean(
        table_of(values, step_seconds=60), Cleaning((Regrid(120), LinearFill()), test=True), halves
    )
    assert coarser.values.shape == (1, 4, 1)
    assert records[0] == {
        "step": "regrid",
        "step_seconds": 120,
        "rule": "mean",
        "changed": 4,
        "counted": "slots",
    }


RECIPE = """
name = "a"
data = { source = "file", path = "a.csv" }
model = { family = "streaming-gru" }
[[clean.steps]]
"""


def test_steps_are_named_in_a_recipe(tmp_path: Path) -> None:
    text = RECIPE + 'step = "hampel"\nwidth = 5\n[[clean.steps]]\nstep = "linear"\nlongest = 3\n'
    recipe = read_recipe(write(tmp_path / "recipe.toml", text))
    assert recipe.clean.steps == (Hampel(width=5), LinearFill(longest=3))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('step = "magic"', "magic"),
        ('step = "hampel"\nwidth = 4', "an odd number has a middle"),
        ('step = "out_of_range"\nlow = 2\nhigh = 1', "is no range"),
        ('step = "linear"\nlongest = 0', "longest"),
        ('step = "forward"\nsideways = true', "sideways"),
    ],
)
def test_a_wrong_step_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_recipe(write(tmp_path / "recipe.toml", RECIPE + line))
