"""What a model takes over from the training part, and what it cannot be built from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from tests.training.models.small import FAMILIES, ONE, PLAIN, RICH, TASKS, TWO
from tidecast.errors import SettingsError
from training.data.table import Table
from training.features.front import FeaturesConfig
from training.features.scaling import GlobalScaling, WindowScaling
from training.models.assemble import level, measure, windowed_model
from training.tasks.forecast import ForecastTask

MLP = FAMILIES["mlp"]


def table() -> Table:
    random = np.random.default_rng(3)
    values = random.normal(7, 2, (3, 50, 2)).astype(np.float32)
    values[:, ::5, 0] = np.nan
    labels = random.integers(0, 3, (3, 50)).astype(np.float32)
    labels[0, :10] = np.nan
    known = random.normal(1, 3, (3, 50, 1)).astype(np.float32)
    return Table(("a", "b", "c"), values, ("wind", "load"), 0, 3600, labels, known, ("holiday",))


def test_statistics_are_means_and_mean_deviations_of_what_is_known() -> None:
    given = table()
    assert given.labels is not None
    found = measure(given, TASKS["classification"])
    for column in range(2):
        known = given.values[..., column][~np.isnan(given.values[..., column])].astype(float)
        assert found.values.centre[column] == pytest.approx(known.mean())
        assert found.values.spread[column] == pytest.approx(np.abs(known - known.mean()).mean())
    assert found.counts == tuple(int((given.labels == number).sum()) for number in range(3))
    assert (found.channels, found.step_seconds) == (("wind", "load"), 3600)
    assert len(found.covariates.centre) == len(found.label.centre) == 1


def test_a_column_without_values_or_with_huge_ones_has_finite_statistics() -> None:
    columns = np.array([[np.nan, 3e38, np.inf], [np.nan, -3e38, 1.0]], np.float32)
    found = level(columns)
    assert (found.centre[0], found.spread[0]) == (0.0, 0.0)
    assert np.isfinite([*found.centre, *found.spread]).all()
    assert torch.isfinite(found.scaling.spread).all()


def test_a_model_is_what_its_table_is() -> None:
    given = table()
    task = TASKS["regression"]
    model = windowed_model(MLP, replace(RICH, scaling="global"), task, measure(given, task))
    shape = model.front.shape
    assert (shape.context, shape.horizon, shape.channels) == (MLP.context, 1, 2)
    assert isinstance(model.front.scaling, GlobalScaling)
    bare = measure(given._replace(known=None, covariates=()), task)
    plain = windowed_model(MLP, PLAIN, task, bare)
    assert isinstance(plain.front.scaling, WindowScaling)
    assert plain.front.shape.ahead == 0


def test_one_number_says_a_static_attribute_of_all_leads() -> None:
    task = ForecastTask("load", horizon=4)
    given = table()._replace(covariates=("capacity",), static=("capacity",))
    model = windowed_model(MLP, PLAIN, task, measure(given, task)).eval()
    window, origin = torch.randn(2, MLP.context, 2), torch.zeros(2, dtype=torch.int64)
    every = torch.full((2, 4, 1), 60.0)
    once = torch.where(torch.arange(4)[:, None] > 0, torch.nan, every)
    with torch.no_grad():
        assert torch.equal(model(window, origin, every), model(window, origin, once))
        assert not torch.equal(model(window, origin, every), model(window, origin, every - 55))


def test_the_same_seed_gives_the_same_model() -> None:
    built = []
    for _ in range(2):
        torch.manual_seed(8)
        built.append(windowed_model(MLP, RICH, TASKS["forecast"], TWO).state_dict())
    first, second = built
    assert all(torch.equal(part, second[name]) for name, part in first.items())


@pytest.mark.parametrize(
    ("task", "features", "message"),
    [
        (ForecastTask("rain"), PLAIN, "not a channel; there are: load"),
        (TASKS["regression"], PLAIN, "no labels"),
        (TASKS["classification"], PLAIN, "no labels"),
        (TASKS["forecast"], FeaturesConfig(history=replace(RICH.history, lags=(24,))), "25 slots"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(
    task: ForecastTask, features: FeaturesConfig, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        windowed_model(MLP, features, task, ONE)
