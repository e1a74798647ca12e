"""How long models take for a row: side by side, warm, in ONNX Runtime as the worker runs it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from stream.predictor import Inputs, Predictor
from training.explain.inputs import taken

BATCHES: Final = (1, 64, 256)
ROWS: Final = 256
"""At least so many rows in a repeat, and so many calls:"""
CALLS: Final = 8
WARM_CALLS: Final = 10
REPEATS: Final = 7


def us_per_row(
    predictors: Sequence[Predictor], inputs: Sequence[Inputs], batch: int, repeats: int = REPEATS
) -> list[float]:
    """Median microseconds of processor time for a row, one number a model.

    inputs: for each model; its rows are repeated until they fill the batch. The models take turns,
    so that whatever else the machine does meets them alike.
    """
    calls = max(CALLS, ROWS // batch)
    fed = [_of_size(each, batch) for each in inputs]
    found = np.zeros((repeats, len(predictors)))
    for predictor, given in zip(predictors, fed, strict=True):
        _seconds(predictor, given, WARM_CALLS)
    for repeat in range(repeats):
        for place, (predictor, given) in enumerate(zip(predictors, fed, strict=True)):
            found[repeat, place] = _seconds(predictor, given, calls)
    medians: list[float] = (np.median(found, axis=0) / (calls * batch) * 1e6).tolist()
    return medians


def _seconds(predictor: Predictor, inputs: Inputs, calls: int) -> float:
    """Of this process alone: whoever shares the machine does not count."""
    began_s = time.process_time()
    for _ in range(calls):
        predictor.predict(inputs)
    return time.process_time() - began_s


def _of_size(inputs: Inputs, batch: int) -> Inputs:
    return taken(inputs, np.arange(batch) % len(inputs.windows))
