"""What a row costs each shipped bundle, in this process: ONNX Runtime with one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.machine import conditions
from bench.report import Case, Figure, Result
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from tidecast.bundle import MANIFEST_FILE, read_bundle

QUESTION: Final = "What does a forecast cost each shipped model?"
BATCHES: Final = (1, 64, 256)
BUNDLES: Final = Path("onnx_models")
WARM_CALLS: Final = 10
SEED: Final = 7


@dataclass(frozen=True)
class Load:
    """rows: forecast at each batch size, in calls of that size."""

    rows: int = 20_000
    repeats: int = 5


def measure(load: Load, folder: Path = BUNDLES) -> Result:
    """Time every bundle under a folder, by name and version."""
    found = conditions()
    bundles = sorted(file.parent for file in folder.glob(f"*/*/{MANIFEST_FILE}"))
    return Result(
        bench="models",
        question=QUESTION,
        parameters={"rows": load.rows, "threads": 1},
        figures=[],
        checked={"bundles": len(bundles)},
        conditions=found,
        cases=[_case(bundle, load) for bundle in bundles],
    )


def _case(folder: Path, load: Load) -> Case:
    predictor = OnnxPredictor(read_bundle(folder))
    name = f"{predictor.manifest.name}/{predictor.manifest.version}"
    return Case(
        key={"bundle": name},
        title=name,
        figures=[
            Figure(
                f"batch_{batch}_us",
                f"batch of {batch}, µs per row",
                _us_per_row(_call(predictor, batch), batch, load),
                2,
            )
            for batch in BATCHES
        ],
    )


def _call(predictor: OnnxPredictor, batch: int) -> Callable[[], object]:
    """A call of the model with full windows and states of the size it wants."""
    manifest = predictor.manifest
    numbers = np.random.default_rng(SEED)
    shape = (batch, manifest.context, len(manifest.channels))
    windows = numbers.normal(size=shape).astype(np.float32)
    states = numbers.normal(size=(batch, manifest.state_size)).astype(np.float32)
    origins = np.full(batch, 1_700_000_000)
    inputs = Inputs(windows, origins, states)
    return lambda: predictor.predict(inputs)


def _us_per_row(call: Callable[[], object], batch: int, load: Load) -> list[float]:
    """One value a repeat. Processor time: whoever shares the machine does not count."""
    for _ in range(WARM_CALLS):
        call()
    calls = -(-load.rows // batch)
    found = []
    for _ in range(load.repeats):
        began_s = time.process_time()
        for _ in range(calls):
            call()
        found.append((time.process_time() - began_s) / (calls * batch) * 1e6)
    return found
