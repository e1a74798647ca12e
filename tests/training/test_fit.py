from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
import torch

from tidecast.errors import DataError
from training.batches import SyntheticBatches
from training.config import FitConfig
from training.data.synthetic import Mixture
from training.fit import Fit, Progress
from training.lessons import SequenceLesson
from training.loss import Measure, error_unit, pinball
from training.models.forecaster import Forecaster, Output
from training.models.streaming_gru import StreamingGruConfig
from training.practice.stopping import StoppingConfig
from training.tasks.forecast import ForecastTask

MODEL = StreamingGruConfig(inputs=4, bands=4, width=16, summary=8, hidden=4, context=32)
TASK = ForecastTask(horizon=6)


def a_fit(steps: int = 12, patience: int = 12) -> Fit:
    config = FitConfig(
        steps=steps,
        averaging=0.6,
        batch=8,
        length=64,
        validate_every=4,
        validation_series=16,
        stopping=StoppingConfig(patience),
    )
    torch.manual_seed(1)
    batches = SyntheticBatches(Mixture(), config, seed=1)
    return Fit(SequenceLesson(Forecaster(MODEL, TASK), batches, config, 24), config, str(config))


def run(fit: Fit, checkpoint: Path | None = None) -> list[Progress]:
    told: list[Progress] = []
    fit.run(told.append, checkpoint)
    return told


def test_a_fit_improves_and_tells_of_every_step() -> None:
    told = run(a_fit(steps=60))
    assert [now.step for now in told] == list(range(1, 61))
    assert math.isnan(told[0].validation)
    assert told[-1].rate < told[4].rate
    assert told[-1].best < told[3].validation


def test_the_same_recipe_gives_the_same_weights() -> None:
    first, second = a_fit(), a_fit()
    assert run(first)[-1] == run(second)[-1]
    for name, value in first.best_weights.items():
        assert torch.equal(value, second.best_weights[name])


def test_a_resumed_fit_ends_like_one_that_was_never_stopped(tmp_path: Path) -> None:
    path = tmp_path / "fit.checkpoint"
    whole = a_fit()
    run(whole)

    class StopError(Exception):
        pass

    def stop(now: Progress) -> None:
        if now.step == 6:
            raise StopError

    with pytest.raises(StopError):
        a_fit().run(stop, path)
    resumed = a_fit()
    resumed.resume(path)
    assert resumed.step == 4
    run(resumed)
    for name, value in whole.best_weights.items():
        assert torch.equal(value, resumed.best_weights[name])


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.checkpoint"
    run(a_fit(steps=4), path)
    with pytest.raises(DataError, match="another recipe"):
        a_fit(steps=5).resume(path)
    with pytest.raises(DataError, match="no checkpoint"):
        a_fit().resume(tmp_path / "none")


def test_a_fit_without_progress_stops_early() -> None:
    fit = a_fit(steps=400, patience=2)
    fit.validations.append(0.0)
    assert len(run(fit)) == 8


def test_a_fit_beyond_its_deadline_keeps_the_best_weights_so_far() -> None:
    fit = a_fit(steps=400)
    fit.run(lambda now: None, deadline=time.monotonic())
    assert fit.step == len(fit.validations) == 1
    for name, value in fit.lesson.model.state_dict().items():
        assert torch.equal(value, fit.best_weights[name])


def test_a_fit_without_a_validation_loss_gives_no_model() -> None:
    fit = a_fit(steps=4)
    with torch.no_grad():
        next(fit.lesson.model.parameters()).fill_(torch.nan)
    with pytest.raises(DataError, match="no validation loss"):
        run(fit)


@pytest.mark.parametrize("relative", [0.0, 13.0])
def test_the_loss_is_the_plain_pinball_formula(relative: float) -> None:
    torch.manual_seed(0)
    values = torch.randn(2, 60)
    values[0, 40] = torch.nan
    origins, levels = torch.tensor([36, 38]), (0.1, 0.5, 0.9)
    quantiles = torch.randn(2, 2, 3, 3)
    spread, centre = torch.rand(2, 2) + 0.5, torch.randn(2, 2)
    output = Output(quantiles, centre, spread)
    found = pinball(output, values, origins, Measure(levels, 24, relative))
    unit = error_unit(values, 24)
    losses = []
    for row in range(2):
        for number, origin in enumerate(origins.tolist()):
            for lead in range(3):
                actual = values[row, origin + 1 + lead]
                if torch.isnan(actual):
                    continue
                forecast = centre[row, number] + quantiles[row, number, lead] * spread[row, number]
                smape = relative / ((actual.abs() + forecast[1].abs()) / 2)
                errors = (actual - forecast) * (1 / unit[row] + smape)
                level = torch.tensor(levels)
                losses.append(torch.maximum(level * errors, (level - 1) * errors).mean())
    assert found.item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)


def test_forecasts_of_the_warm_up_are_not_scored() -> None:
    config = FitConfig(batch=8, length=64, warm_up=50, stride=7, validation_series=16)
    torch.manual_seed(1)
    batches, model = SyntheticBatches(Mixture(), config, seed=1), Forecaster(MODEL, TASK)
    scored = SequenceLesson(model, batches, config, 24).loss(step=3)
    values, times = batches.train(3)
    origins = torch.tensor([53])
    output = model.sequence(values, times, origins)
    expected = pinball(output, values, origins, Measure(TASK.quantile_levels, 24))
    assert scored.item() == pytest.approx(expected.item(), rel=1e-6)


def test_series_that_teach_nothing_cost_nothing() -> None:
    values = torch.full((2, 60), torch.nan)
    values[1] = 3.0
    zeros = torch.zeros(2, 1)
    output = Output(torch.randn(2, 1, 3, 3), zeros, zeros)
    measure = Measure((0.1, 0.5, 0.9), 24, relative=1.0)
    assert pinball(output, values, torch.tensor([40]), measure).item() == 0
