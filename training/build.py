"""From a recipe to a bundle: data, fit, parity gate, back-tests, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import Bundle, Manifest, write_bundle
from tidecast.errors import DataError
from training import benchmarks
from training.config import Recipe
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.scores import summary
from training.evaluate.scoring import score
from training.fitting.family import fit_family
from training.fitting.fitted import Job, Listener
from training.fitting.manifest import manifest_of
from training.parity import Finding
from training.report.page import Section, render
from training.source import Source, open_source


class Order(NamedTuple):
    """What to build and where. `folder` is where the recipe's relative paths start.

    checkpoint: of the fit, which goes on from there if `resume` says so.
    """

    recipe: Recipe
    folder: Path
    parent: Path
    checkpoint: Path
    resume: bool = False


def build(order: Order, listener: Listener) -> Path:
    """Build the bundle and return its folder.

    Raises DataError when the data do not do, SettingsError when family, task and data do not go
    together, BundleError when the graph fails the parity gate.
    """
    stem = order.checkpoint.stem
    if order.resume and not any(order.checkpoint.parent.glob(f"{stem}*")):
        raise DataError(f"no checkpoint at {order.checkpoint}: leave --resume out to start afresh")
    source = open_source(order.recipe, order.folder)
    fitted = fit_family(Job(order.recipe, source, order.checkpoint, order.resume), listener)
    bundle = Bundle(manifest_of(order.recipe, source, fitted), fitted.graph)
    return publish(order, source, bundle, fitted.findings, listener)


def publish(
    order: Order, source: Source, bundle: Bundle, findings: Sequence[Finding], listener: Listener
) -> Path:
    """Back-test a fitted model, write it as a bundle with its report, and return its folder.

    findings: of the parity gate; none where it was asked long ago. Raises DataError when the data
    do not do, BundleError when the disk refuses.
    """
    predictor = OnnxPredictor(bundle)
    cases = _cases(order, source, bundle.manifest, listener)
    sections = [_section(predictor, case, listener) for case in cases]
    back_tests = {section.scores.name: section.scores.figures() for section in sections}
    figures = bundle.manifest.figures | {"back_tests": back_tests}
    manifest = msgspec.structs.replace(bundle.manifest, figures=figures)
    page = render(manifest, sections, findings)
    return write_bundle(order.parent, Bundle(manifest, bundle.graph), page)


def _cases(order: Order, source: Source, manifest: Manifest, listener: Listener) -> list[Case]:
    """The test part and every benchmark whose files are there."""
    recipe = order.recipe
    cases = [source.test(recipe)]
    for benchmark in recipe.benchmarks:
        if (order.folder / benchmark.path).exists():
            cases.append(benchmarks.load(benchmark, order.folder, manifest, recipe.seasonality))
        else:
            listener.stage(f"{benchmark.name} left out: {benchmark.path} is not there")
    return cases


def _section(predictor: OnnxPredictor, case: Case, listener: Listener) -> Section:
    """Back-test one case and keep what the report draws."""
    test = back_test(predictor, case)
    scores = score(test)
    listener.stage(summary(scores))
    return Section(test, scores)
