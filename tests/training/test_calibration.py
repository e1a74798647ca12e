"""Calibration: a band as wide as it must be, level by level."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch

from stream.testing import manifest_of
from training.batches import Batches, SyntheticBatches, TableBatches
from training.calibration import NARROWEST, WIDEST, calibrate, scored_of, stretches
from training.config import FitConfig
from training.data.synthetic import Mixture
from training.data.table import Table, split
from training.evaluate.back_test import BackTest
from training.evaluate.case import Case, unnamed_table
from training.evaluate.engine_run import UNANSWERED, Run
from training.lessons import Scored, SequenceLesson
from training.models.forecaster import Forecaster
from training.models.streaming_gru import StreamingGruConfig
from training.tasks.band import Band
from training.tasks.forecast import ForecastTask

LEVELS = (0.05, 0.25, 0.5, 0.9)


def shares_below(scored: Scored, factors: list[float]) -> list[float]:
    """Part of the targets below each level, once the gaps have been stretched."""
    gaps = scored.quantiles.diff(dim=1) * torch.tensor(factors)
    median = scored.quantiles[:, 2:3]
    low = median - gaps[:, :2].flip(1).cumsum(1).flip(1)
    levels = torch.cat((low, median, median + gaps[:, 2:]), 1)
    return [(scored.targets < level).double().mean().item() for level in levels.unbind(1)]


def test_each_level_is_put_where_its_share_lies_below() -> None:
    torch.manual_seed(1)
    scale = torch.rand(20_000, 1).double() + 0.5
    quantiles = scale * torch.tensor([-0.7, -0.4, 0.0, 2.9]).double()
    scored = Scored(quantiles, scale[:, 0] * torch.randn(20_000).double())
    factors = stretches(scored, LEVELS)
    below = dict(zip(LEVELS, shares_below(scored, factors), strict=True))
    del below[0.5]  # The median stays where it was.
    assert list(below.values()) == pytest.approx(list(below), abs=1e-3)
    assert factors[0] > 1 > factors[2]


def test_of_a_back_test_only_what_is_known_and_has_a_band_tells() -> None:
    answers = np.array([[[0, 1, 3]], [[5, 5, 5]], [[0, 1e-12, 2e-12]], [[0, 1, 2]]], np.float32)
    actual = np.array([[2], [7], [3e-12], [1]], np.float32)[None]
    statuses = np.array([[0, 0, 0, UNANSWERED]])
    values = np.zeros((1, 9), np.float32)
    case = Case("made by hand", unnamed_table(values), np.arange(4), 4, 1)
    run = Run(answers[None], statuses)
    test = BackTest(manifest_of("tried", 4, 1, ("value",), 0), case, run, values, actual)
    quantiles, targets = scored_of(test)
    assert quantiles.flatten().tolist() == pytest.approx([0, 1 / 3, 1, 0, 0.5, 1])
    assert targets.tolist() == pytest.approx([2 / 3, 1.5])
    actual[0, 2] = np.nan
    assert len(scored_of(test).targets) == 1


def test_too_few_targets_or_no_gap_change_nothing() -> None:
    few = Scored(torch.tensor([[-1.0, 0.0, 1.0]]).double().repeat(30, 1), torch.randn(30).double())
    assert stretches(few, (0.1, 0.5, 0.9)) == [1, 1]
    flat = Scored(torch.zeros(5000, 3).double(), torch.randn(5000).double())
    assert stretches(flat, (0.1, 0.5, 0.9)) == [1, 1]


def test_factors_stay_within_reason() -> None:
    quantiles = torch.tensor([[-1.0, 0.0, 1.0]]).double().repeat(5000, 1)
    assert stretches(Scored(quantiles, 1e3 * torch.randn(5000).double()), (0.1, 0.5, 0.9)) == [
        WIDEST,
        WIDEST,
    ]
    assert stretches(Scored(quantiles, 1e-3 * torch.randn(5000).double()), (0.1, 0.5, 0.9)) == [
        NARROWEST,
        NARROWEST,
    ]


def untrained(batches: Batches, fit: FitConfig) -> SequenceLesson:
    """What a small streaming model would learn from."""
    torch.manual_seed(1)
    family = StreamingGruConfig(inputs=4, bands=4, width=16, summary=8, hidden=4, context=32)
    return SequenceLesson(Forecaster(family, ForecastTask(horizon=4)).eval(), batches, fit, 24)


def inside(parts: Iterable[Scored]) -> float:
    """Share of the known targets within the band."""
    with torch.no_grad():
        quantiles, targets = zip(*parts, strict=True)
    truth = torch.cat([part.flatten() for part in targets])
    low, _, high = torch.cat([part.flatten(0, 1) for part in quantiles]).unbind(1)
    return ((truth >= low) & (truth <= high))[~torch.isnan(truth)].double().mean().item()


def test_a_model_answers_with_the_band_that_was_found() -> None:
    fit = FitConfig(batch=32, length=96, validation_series=64)
    lesson = untrained(SyntheticBatches(Mixture(), fit, seed=1), fit)
    assert calibrate(lesson) != [1.0, 1.0]
    assert inside(lesson.scored()) == pytest.approx(0.8, abs=0.02)


def test_of_a_history_both_parts_tell() -> None:
    walks = np.random.default_rng(1).normal(size=(3, 4000, 1)).astype(np.float32)
    walks[:, 3000:] = walks[:, 3000:].cumsum(axis=1)
    history = Table(("a", "b", "c"), walks, ("value",), 0, 60)
    cut = split(history, 0.2, 0.05, horizon=4)
    fit = FitConfig(batch=2, length=96)
    lesson = untrained(TableBatches(history, cut, fit, seed=1), fit)
    factors = calibrate(lesson)
    # What was learnt is noise around a level, what is validated a walk, which leaves its level.
    assert inside(lesson.practised()) > 0.82
    assert inside(lesson.scored()) < 0.78
    mean = [(low * high) ** 0.5 for low, high in zip(*each_alone(lesson), strict=True)]
    assert factors == pytest.approx(mean)


def each_alone(lesson: SequenceLesson) -> list[list[float]]:
    """The factors that each part by itself would have given."""
    (band,) = (part for part in lesson.model.modules() if isinstance(part, Band))
    band.stretch.fill_(1)
    found = []
    for parts in (lesson.scored(), lesson.practised()):
        with torch.no_grad():
            quantiles, targets = zip(*parts, strict=True)
        levels = torch.cat([part.flatten(0, 1) for part in quantiles]).double()
        truth = torch.cat([part.flatten() for part in targets]).double()
        found.append(stretches(Scored(levels, truth), band.levels))
    return found
