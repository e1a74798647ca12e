"""Nets are fitted by steps: a lesson for the loop, then export and the parity gate."""

from __future__ import annotations

import msgspec
import torch

from tidecast.errors import SettingsError
from training import parity
from training.calibration import calibrate
from training.config import Recipe
from training.data.table import part_of
from training.export import export
from training.features.holidays import holidays_for
from training.fit import Fit
from training.fitting.fitted import Fitted, Job, Listener
from training.lessons import ScoredLesson, SequenceLesson, WindowLesson
from training.models.assemble import measure, windowed_model
from training.models.forecaster import Forecaster, ForecasterConfig
from training.models.windowed import NetConfig
from training.samples import Samples
from training.source import History
from training.tasks.forecast import ForecastTask


def fit_streaming(family: ForecasterConfig, job: Job, listener: Listener) -> Fitted:
    """Fit a streaming family, which sees the target's channel alone."""
    recipe, source = job.recipe, job.source
    if not isinstance(recipe.task, ForecastTask):
        raise SettingsError(f"a streaming family does not do a {recipe.task.target!r}")
    torch.manual_seed(recipe.seed)
    model = Forecaster(family, recipe.task)
    lesson = SequenceLesson(model, source.batches(recipe), recipe.fit, recipe.seasonality)
    return _fit(lesson, (recipe.task.target,), (), job, listener)


def fit_windowed(family: NetConfig, job: Job, history: History, listener: Listener) -> Fitted:
    """Fit a windowed family, which sees all channels and what is known ahead."""
    recipe, (table, cut, _) = job.recipe, history
    torch.manual_seed(recipe.seed)
    statistics = measure(part_of(table, cut.training), recipe.task)
    holidays = holidays_for(recipe.features.holidays, table)
    model = windowed_model(family, recipe.features, recipe.task, statistics, holidays.days)
    learnt, validated = (
        Samples(table, recipe.task, family.context, span) for span in (cut.training, cut.validation)
    )
    lesson = WindowLesson(model, learnt, validated, recipe.augment, recipe.fit.batch, recipe.seed)
    fitted = _fit(lesson, table.channels, table.covariates, job, listener)
    return fitted._replace(figures=fitted.figures | holidays.record)


def _fit(
    lesson: ScoredLesson,
    channels: tuple[str, ...],
    covariates: tuple[str, ...],
    job: Job,
    listener: Listener,
) -> Fitted:
    fit = Fit(lesson, job.recipe.fit, _origin(job.recipe))
    if job.resume and job.checkpoint.exists():
        fit.resume(job.checkpoint)
    job.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    fit.run(listener.step, job.checkpoint, job.deadline)
    listener.stage(f"best validation loss {fit.best:.4f} at step {fit.best_step}; parity gate")
    stretch = calibrate(lesson)
    graph = export(lesson.model)
    figures: dict[str, object] = {
        "steps": fit.step,
        "best_step": fit.best_step,
        "validation_loss": round(fit.best, 5),
        "stretch": [round(factor, 4) for factor in stretch],
    }
    findings = parity.check(lesson.model, graph)
    return Fitted(graph, lesson.model.contract, channels, covariates, findings, figures)


def _origin(recipe: Recipe) -> str:
    """All that the weights follow from."""
    names = ("seed", "seasonality", "data", "clean", "task", "features", "augment", "model", "fit")
    return msgspec.json.encode([getattr(recipe, name) for name in names]).decode()
