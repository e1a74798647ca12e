"""From a recipe to a bundle: fit, export, parity gate, back-tests, report."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import torch

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import Bundle, Channel, Manifest, write_bundle
from training import benchmarks, parity
from training.config import Recipe
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.scores import summary
from training.evaluate.scoring import score
from training.export import export
from training.fit import Fit, Progress
from training.graphs import OPSET
from training.lessons import SequenceLesson
from training.models.forecaster import Forecaster
from training.report.page import Section, render
from training.source import Source, open_source

TOOLS: Final = ("torch", "onnx", "onnxruntime", "numpy", "polars")


class Job(NamedTuple):
    """What to build and where. `folder` is where the recipe's relative paths start."""

    recipe: Recipe
    folder: Path
    parent: Path
    checkpoint: Path
    resume: bool


class Listener(NamedTuple):
    """Whom to tell: of each training step, and of each stage in one line."""

    step: Callable[[Progress], None]
    stage: Callable[[str], None]


def build(job: Job, listener: Listener) -> Path:
    """Build the bundle and return its folder.

    Raises DataError when the data do not do, BundleError when the graph fails the parity gate.
    """
    source = open_source(job.recipe, job.folder)
    model, fit = _begin(job.recipe, source)
    if job.resume:
        fit.resume(job.checkpoint)
    job.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    fit.run(listener.step, job.checkpoint)
    listener.stage(f"best validation loss {fit.best:.4f} at step {fit.best_step}; parity gate")
    graph = export(model)
    findings = parity.check(model, graph)
    manifest = _manifest(job.recipe, source, model, graph)
    predictor = OnnxPredictor(Bundle(manifest, graph))
    cases = _cases(job, source, manifest, listener)
    sections = [_section(predictor, case, listener) for case in cases]
    figures = _figures(fit, findings, sections) | source.read
    manifest = msgspec.structs.replace(manifest, figures=figures)
    return write_bundle(job.parent, Bundle(manifest, graph), render(manifest, sections, findings))


def _begin(recipe: Recipe, source: Source) -> tuple[Forecaster, Fit]:
    torch.manual_seed(recipe.seed)
    model = Forecaster(recipe.model, recipe.task)
    lesson = SequenceLesson(model, source.batches, recipe.fit, recipe.seasonality)
    parts = (recipe.seed, recipe.seasonality, recipe.data, recipe.task, recipe.model, recipe.fit)
    return model, Fit(lesson, recipe.fit, msgspec.json.encode(parts).decode())


def _cases(job: Job, source: Source, manifest: Manifest, listener: Listener) -> list[Case]:
    """The test part and every benchmark whose files are there."""
    cases = [source.test]
    for benchmark in job.recipe.benchmarks:
        if (job.folder / benchmark.path).exists():
            cases.append(benchmarks.load(benchmark, job.folder, manifest, job.recipe.seasonality))
        else:
            listener.stage(f"{benchmark.name} left out: {benchmark.path} is not there")
    return cases


def _section(predictor: OnnxPredictor, case: Case, listener: Listener) -> Section:
    """Back-test one case and keep what the report draws."""
    test = back_test(predictor, case)
    scores = score(test)
    listener.stage(summary(scores))
    return Section(test, scores)


def _figures(
    fit: Fit, findings: list[parity.Finding], sections: list[Section]
) -> dict[str, object]:
    """The figures a manifest carries."""
    return {
        "steps": fit.step,
        "best_step": fit.best_step,
        "validation_loss": round(fit.best, 5),
        "parity_worst_relative_error": max(max(finding[1:]) for finding in findings),
        "back_tests": {section.scores.name: section.scores.figures() for section in sections},
    }


def _manifest(recipe: Recipe, source: Source, model: Forecaster, graph: bytes) -> Manifest:
    return Manifest(
        name=recipe.name,
        version=recipe.version,
        task="forecast",
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        graph_bytes=len(graph),
        opset=OPSET,
        step_seconds=source.step_seconds,
        context=recipe.model.context,
        horizon=recipe.task.horizon,
        channels=(Channel(recipe.task.target, recipe.unit),),
        target=recipe.task.target,
        quantile_levels=recipe.task.quantile_levels,
        state_size=model.state_size,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_sha256=source.sha256,
        data_licence=source.licence,
        training=msgspec.to_builtins(recipe),
        figures={},
        tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
    )
