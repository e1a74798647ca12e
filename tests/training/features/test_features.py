"""Features against the plain formulas, and in the graph against torch."""

from __future__ import annotations

import math
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from training.features.calendar import SECONDS, Calendar
from training.features.front import FeaturesConfig, Front
from training.features.history import HistoryConfig, Rolling, history
from training.features.scaling import GlobalScaling, WindowScaling

CONTEXT, HORIZON, HOUR = 6, 4, 3600
TIMES: Final = st.integers(-62_000_000_000, 250_000_000_000)
RICH: Final = FeaturesConfig(
    calendar=("day", "week"),
    history=HistoryConfig(
        lags=(0, 2),
        differences=(1,),
        rolling=(Rolling(3), Rolling(6, "deviation"), Rolling(2, "least"), Rolling(4, "most")),
    ),
)


def calendar_of(time: int, calendar: Calendar) -> list[float]:
    return [float(number) for number in calendar(torch.tensor([time]))[0]]


@given(TIMES)
def test_the_day_and_the_week_are_those_of_the_calendar(time: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    day = 2 * math.pi * seconds / SECONDS["day"]
    week = 2 * math.pi * (moment.weekday() * 86_400 + seconds) / SECONDS["week"]
    found = calendar_of(time, Calendar(("day", "week")))
    expected = [math.sin(day), math.cos(day), math.sin(week), math.cos(week)]
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_year_later_is_the_same_place_in_the_year() -> None:
    calendar = Calendar(("year",))
    first, later = (
        calendar_of(int(datetime(year, 3, 1, tzinfo=UTC).timestamp()), calendar)
        for year in (1996, 2026)
    )
    assert first == pytest.approx(later, abs=0.01)


def test_holidays_are_whole_days() -> None:
    day = (date(2026, 12, 25) - date(1970, 1, 1)).days
    calendar = Calendar((), holidays=[day])
    edges = [day * 86_400 - 1, day * 86_400, (day + 1) * 86_400 - 1, (day + 1) * 86_400]
    assert calendar(torch.tensor(edges))[:, 0].tolist() == [0, 1, 1, 0]


def test_history_is_what_its_names_say() -> None:
    values = torch.arange(12.0).reshape(1, CONTEXT, 2) ** 2
    column = values[0, :, 1].numpy()
    found = history(values, RICH.history)[0].reshape(-1, 2)[:, 1].tolist()
    assert found == pytest.approx(
        [
            column[-1],
            column[-3],
            column[-1] - column[-2],
            column[-3:].mean(),
            np.abs(column - column.mean()).mean(),
            column[-2:].min(),
            column[-4:].max(),
        ]
    )
    assert RICH.history.reach == CONTEXT


def test_by_its_own_level_a_window_has_none() -> None:
    window = torch.tensor([[[1.0], [3.0], [torch.nan], [5.0], [7.0], [9.0]]])
    one, other = (WindowScaling(CONTEXT)(part) for part in (window, 1000 * window + 7))
    torch.testing.assert_close(one.values, other.values)
    assert one.known[0, :, 0].tolist() == [1, 1, 0, 1, 1, 1]
    back = one.values * one.spread[:, None] + one.centre[:, None]
    torch.testing.assert_close(back[one.known > 0], window[~torch.isnan(window)])


def test_by_the_training_rows_a_window_keeps_its_level() -> None:
    scaling = GlobalScaling(torch.tensor([10.0]), torch.tensor([2.0]))
    found = scaling(torch.tensor([[[12.0], [torch.nan], [1e30]]]))
    assert found.values[0, :, 0].tolist() == [1.0, 0.0, 8.0]


@pytest.mark.parametrize("scaling", ["window", "global"])
def test_the_graph_computes_what_torch_does(scaling: str, tmp_path: Path) -> None:
    front = front_of(scaling)
    random = np.random.default_rng(5)
    window = random.normal(50, 9, (7, CONTEXT, 2)).astype(np.float32)
    window[random.random(window.shape) < 0.2] = np.nan
    window[3] = np.nan
    future = random.normal(5, 2, (7, HORIZON, 1)).astype(np.float32)
    future[2, 1:] = np.nan
    origin = random.integers(0, 4_000_000_000, 7)
    inputs = (torch.from_numpy(window), torch.from_numpy(origin), torch.from_numpy(future))
    expected = front(*inputs)
    found = exported(front, inputs, tmp_path / "front.onnx")
    for name, tensor in expected._asdict().items():
        np.testing.assert_allclose(found[name], tensor.numpy(), rtol=1e-5, atol=1e-5)
        assert np.isfinite(found[name]).all()
    assert expected.slots.shape == (7, CONTEXT, front.shape.slot)
    assert expected.flat.shape == (7, front.shape.flat)
    assert expected.ahead.shape == (7, HORIZON, front.shape.ahead)
    assert expected.history.shape == (7, front.shape.history)


def test_of_a_static_attribute_one_number_is_enough(tmp_path: Path) -> None:
    """Whatever an event says of later slots; what is no attribute stays unknown there."""
    covariates = GlobalScaling(torch.tensor([5.0, 5.0]), torch.tensor([2.0, 2.0]))
    scaling, calendar = WindowScaling(CONTEXT), Calendar(())
    sizes = (CONTEXT, HORIZON, 1, HOUR)
    front = Front(FeaturesConfig(), scaling, calendar, covariates, sizes, (False, True))
    future = torch.full((3, HORIZON, 2), torch.nan)
    future[:, 0] = 9.0
    future[1, 2, 1] = 1.0
    inputs = (torch.ones(3, CONTEXT, 1), torch.zeros(3, dtype=torch.int64), future)
    ahead = exported(front, inputs, tmp_path / "front.onnx")["ahead"]
    np.testing.assert_array_equal(ahead[..., 1], np.full((3, HORIZON), 2.0))
    np.testing.assert_array_equal(ahead[..., 0], [[2.0, 0.0, 0.0, 0.0]] * 3)


def front_of(scaling: str) -> Front:
    fitted = GlobalScaling(torch.tensor([50.0, 40.0]), torch.tensor([9.0, 5.0]))
    return Front(
        RICH,
        WindowScaling(CONTEXT) if scaling == "window" else fitted,
        Calendar(RICH.calendar, holidays=[20_000]),
        GlobalScaling(torch.tensor([5.0]), torch.tensor([2.0])),
        (CONTEXT, HORIZON, 2, HOUR),
    )


def exported(front: Front, inputs: tuple[Tensor, ...], path: Path) -> dict[str, np.ndarray]:
    """What ONNX Runtime makes of the inputs."""
    names = ("window", "origin", "future")
    outputs = ("slots", "flat", "ahead", "centre", "spread", "history")
    axes = {name: {0: "B"} for name in (*names, *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            front,
            tuple(part[:2] for part in inputs),
            path,
            input_names=names,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=18,
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = {name: part.numpy() for name, part in zip(names, inputs, strict=True)}
    return dict(zip(outputs, session.run(outputs, feed), strict=True))
