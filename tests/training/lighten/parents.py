"""Small bundles to make lighter, and the history that they are tried on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import torch

from tests.training.bundles import bundle_of
from tests.training.models.small import CONTEXT, FAMILIES, HORIZON, PLAIN, TASKS, plain
from tidecast.bundle import Bundle, write_bundle
from training.benchmarks import stream_case
from training.config import FitConfig
from training.data.table import Table
from training.evaluate.case import Case, unnamed_table
from training.export import export
from training.fit import Fit
from training.lessons import WindowLesson
from training.lighten.past import past_of
from training.models.assemble import measure, windowed_model
from training.models.forecaster import Forecaster
from training.models.streaming_gru import StreamingGruConfig
from training.samples import Samples
from training.tasks.forecast import ForecastTask

FIRST, SLOTS = 300, 420
TASK: Final = ForecastTask(horizon=HORIZON)


def history(seed: int = 0) -> Table:
    """Two series with a day and some noise; from slot FIRST on they follow another seed."""
    slots = np.arange(SLOTS)
    waves = np.stack([5 + np.sin(2 * np.pi * slots / 24), 90 + 9 * np.cos(2 * np.pi * slots / 24)])
    noise = np.random.default_rng(7).normal(0, 0.1, waves.shape)
    noise[:, FIRST:] = np.random.default_rng(seed).normal(0, 0.1, (2, SLOTS - FIRST))
    return unnamed_table((waves + noise).astype(np.float32))


def case_of(bundle: Bundle, seed: int = 0) -> Case:
    return stream_case("waves", history(seed), FIRST, bundle.manifest, 24)


def past(bundle: Bundle, seed: int = 0) -> Case:
    return past_of(case_of(bundle, seed), bundle.manifest)


def silent(_line: str) -> None:
    """Nobody listens."""


@cache
def streaming() -> Bundle:
    """A small GRU that has learnt nothing, with weights large enough to matter."""
    torch.manual_seed(5)
    config = StreamingGruConfig(CONTEXT, inputs=6, bands=6, width=32, summary=16, hidden=8)
    model = Forecaster(config, TASK)
    with torch.no_grad():
        model.head.weight *= 20
    return bundle_of(export(model.eval()), CONTEXT, HORIZON, model.state_size)


@cache
def windowed(family: str) -> Bundle:
    """A family that has learnt nothing."""
    return bundle_of(export(plain(FAMILIES[family], TASKS["forecast"])), CONTEXT, HORIZON)


@cache
def learnt() -> Bundle:
    """A feed-forward net that has learnt the waves."""
    torch.manual_seed(6)
    table = history()
    model = windowed_model(FAMILIES["mlp"], PLAIN, TASK, measure(table, TASK))
    early, late = (Samples(table, TASK, CONTEXT, span) for span in (range(250), range(250, FIRST)))
    fit = FitConfig(steps=150, validate_every=75)
    Fit(WindowLesson(model, early, late, batch=64, seed=1), fit, "").run(lambda _: None)
    return bundle_of(export(model), CONTEXT, HORIZON)


def written(bundle: Bundle, folder: Path) -> Path:
    """A bundle on the disk."""
    return write_bundle(folder, bundle, "<p>report</p>")


def csv(folder: Path, seed: int = 0) -> Path:
    """The history as a file."""
    times = 3600 * np.arange(SLOTS)
    rows = zip(times, *history(seed).values[..., 0], strict=True)
    path = folder / "waves.csv"
    path.write_text("\n".join(["time,a,b", *(f"{time},{a},{b}" for time, a, b in rows)]))
    return path
