"""A small windowed net in the place of any bundle, taught by that bundle's own answers."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
import numpy as np
import torch

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import Bundle, Manifest
from tidecast.errors import BundleError, DataError
from training import parity
from training.data.table import Table
from training.data.waves import Ints
from training.evaluate.case import Case, known_ahead, target_of, window_values
from training.evaluate.engine_run import run
from training.export import export
from training.fit import Fit
from training.lighten.lesson import DistilLesson, Taught, taught
from training.lighten.method import Light, Tell, name_of
from training.lighten.past import until
from training.lighten.student import Student
from training.models.assemble import measure, windowed_model
from training.samples import Samples
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task

VALIDATED: Final = 0.15
"""Share of the past, its end, on which the student is validated."""
MOST_ANSWERS: Final = 200_000
"""That a teacher is asked for, spread evenly over the slots."""


class Distillation(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="how", tag="distil"
):
    """The student learns from the teacher's answers to the past, and from what came true."""

    student: Student = Student()

    def lighten(self, parent: Bundle, past: Case, tell: Tell) -> Light:
        """See Method."""
        table, student = as_declared(past.table, parent.manifest), self.student
        lesson = _lesson(parent, table, student)
        fit = Fit(lesson, student.fit, msgspec.json.encode(student).decode())
        fit.run(lambda _: None)
        tell(f"best validation loss {fit.best:.4f} at step {fit.best_step}; parity gate")
        graph = export(lesson.model)
        findings = parity.check(lesson.model, graph)
        return Light(
            graph,
            {
                "context": student.model.context,
                "state_size": 0,
                # It has seen this grid alone.
                "step_seconds": table.step_seconds,
                "data_sha256": hashlib.sha256(table.values.tobytes()).hexdigest(),
            },
            {
                "steps": fit.step,
                "best_step": fit.best_step,
                "validation_loss": round(fit.best, 5),
                "parity_worst_relative_error": max(max(found[1:]) for found in findings),
            },
        )


def as_declared(table: Table, manifest: Manifest) -> Table:
    """The table with channels, labels and what is known ahead as the manifest has them."""
    forecasts = manifest.task == "forecast"
    return table._replace(
        values=window_values(table, manifest),
        channels=tuple(manifest.channel_names),
        labels=None if forecasts else target_of(table, manifest),
        known=known_ahead(table, manifest),
        covariates=tuple(covariate.name for covariate in manifest.future),
    )


def task_of(bundle: Bundle) -> Task:
    """What a bundle is asked, as a fit takes it. Raises BundleError where no net can answer so."""
    manifest = bundle.manifest
    target, levels = manifest.target, manifest.quantile_levels
    try:
        if manifest.task == "forecast":
            return ForecastTask(target, manifest.horizon, levels)
        if manifest.task == "regression":
            return RegressionTask(target, manifest.lead, levels)
        return ClassificationTask(target, manifest.classes, manifest.lead)
    except ValueError as error:
        raise BundleError(f"{name_of(bundle)} cannot be a teacher: {error}") from error


def _lesson(parent: Bundle, table: Table, student: Student) -> DistilLesson:
    """The student, untrained, and all that it is to learn."""
    task = task_of(parent)
    slots = table.values.shape[1]
    validate = int(slots * (1 - VALIDATED))
    torch.manual_seed(student.seed)
    statistics = measure(until(table, validate), task)
    model = windowed_model(student.model, student.features, task, statistics)
    origins = _asked(table)
    answered = run(OnnxPredictor(parent), table, origins)
    parts = []
    for span in (range(validate), range(validate, slots)):
        samples = Samples(table, task, student.model.context, span)
        parts.append(taught(samples, answered, origins))
    learnt, validated = (_required(part) for part in parts)
    return DistilLesson(model, learnt, validated, student.fit.batch, student.truth, student.seed)


def _asked(table: Table) -> Ints:
    """The origins at which the teacher is asked."""
    series, slots = table.values.shape[:2]
    return np.arange(0, slots, -(-series * slots // MOST_ANSWERS))


def _required(part: Taught) -> Taught:
    if not len(part.numbers):
        raise DataError("the teacher answered nothing before --first: give it more history")
    return part
