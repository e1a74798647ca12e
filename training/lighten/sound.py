"""A last look at a lighter graph: whatever it is fed, it must answer by the contract."""

from __future__ import annotations

from typing import Final

import numpy as np

from stream.grid import BoolArray, FloatArray
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from tidecast.bundle import Bundle
from tidecast.errors import BundleError
from training.hostile import MAKERS, hostile_series
from training.lighten.method import name_of
from training.parity import FIRST_ORIGIN, STEP_S

SLOTS: Final = 200
"""Through which states are carried."""


def require_sound(bundle: Bundle) -> None:
    """Raise BundleError, naming the kinds of series, where an answer is no answer.

    Answers must be finite, and levels must not cross: missing values, constants, 1e30 and other
    hostile series included.
    """
    predictor, manifest = OnnxPredictor(bundle), bundle.manifest
    kinds, series = hostile_series(len(MAKERS), SLOTS + manifest.context, seed=12)
    values = np.stack([np.roll(series, channel, 0) for channel in range(len(manifest.channels))], 2)
    states = np.zeros((len(values), manifest.state_size), np.float32)
    broken: set[str] = set()
    for slot in range(SLOTS):
        window = np.ascontiguousarray(values[:, slot : slot + manifest.context])
        origins = np.full(len(values), FIRST_ORIGIN + slot * STEP_S)
        answer, states = predictor.predict(Inputs(window, origins, states))
        wrong = ~_sound(answer, rising=not manifest.classes) | ~_sound(states, rising=False)
        broken |= {kinds[place] for place in np.flatnonzero(wrong)}
    if broken:
        raise BundleError(
            f"{name_of(bundle)} answers {', '.join(sorted(broken))} with numbers that are not "
            "finite, or levels that cross; no bundle was written; try another --how"
        )


def _sound(numbers: FloatArray, *, rising: bool) -> BoolArray:
    """Which rows are finite, and rise along the last axis where they must: [B]."""
    flat = numbers.reshape(len(numbers), -1)
    sound: BoolArray = np.asarray(np.isfinite(flat).all(axis=1))
    if rising:
        sound &= (np.diff(numbers, axis=2) >= 0).all(axis=(1, 2))
    return sound
