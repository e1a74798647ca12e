"""The manifest of a fitted model."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import msgspec
import numpy as np

from tidecast.bundle import Channel, Manifest
from training.config import Recipe
from training.fitting.fitted import Fitted
from training.graphs import OPSET
from training.source import History, Source
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.task import Task, horizon_of, lead_of, targets_of

TOOLS: Final = (
    "torch",
    "onnx",
    "onnxruntime",
    "numpy",
    "polars",
    "scikit-learn",
    "skl2onnx",
    "holidays",
)


def manifest_of(recipe: Recipe, source: Source, fitted: Fitted) -> Manifest:
    """What a bundle says of itself; without figures of its back-tests, which come later."""
    task, provenance = recipe.task, source.provenance
    return Manifest(
        name=recipe.name,
        version=recipe.version,
        task=msgspec.to_builtins(task)["kind"],
        graph_sha256=hashlib.sha256(fitted.graph).hexdigest(),
        graph_bytes=len(fitted.graph),
        opset=OPSET,
        step_seconds=provenance.step_seconds,
        context=fitted.contract.context,
        horizon=horizon_of(task),
        channels=_channels(fitted.channels, recipe.units),
        target=task.target,
        quantile_levels=() if isinstance(task, ClassificationTask) else task.quantile_levels,
        classes=task.classes if isinstance(task, ClassificationTask) else (),
        lead=lead_of(task),
        future=_channels(fitted.covariates, recipe.units),
        fallback=_fallback(task, source),
        state_size=fitted.contract.state_size,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_sha256=provenance.sha256,
        data_licence=provenance.licence,
        training=msgspec.to_builtins(recipe),
        figures=fitted.figures | {"parity_worst_relative_error": _worst(fitted)} | provenance.read,
        tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
    )


def _channels(names: Iterable[str], units: Mapping[str, str]) -> tuple[Channel, ...]:
    return tuple(Channel(name, units.get(name, "any")) for name in names)


def _worst(fitted: Fitted) -> float:
    return max(max(finding[1:]) for finding in fitted.findings)


def _fallback(task: Task, source: Source) -> tuple[float, ...]:
    """What is answered where the model fails: how the labels of the training part were.

    A forecast needs none: it repeats the channel's last value.
    """
    if isinstance(task, ForecastTask) or not isinstance(source, History):
        return ()
    labels = targets_of(task, source.table)[:, source.cut.start : source.cut.validate]
    known = labels[~np.isnan(labels)]
    if isinstance(task, ClassificationTask):
        counts = np.bincount(known.astype(np.int64), minlength=len(task.classes))
        return tuple((counts / counts.sum()).tolist())
    return tuple(np.quantile(known, task.quantile_levels).tolist())
