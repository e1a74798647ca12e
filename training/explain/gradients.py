"""Integrated gradients of any graph (Sundararajan, Taly & Yan, 2017), on the graph that serves.

An answer is compared with that for a flat window, each channel at the mean of its known values,
and a state of zeros; the difference is divided among slots, channels and the state. Gradients are
taken along the path by differences as long as its steps, so no weights are needed and one text
serves all families; a test holds them to torch's. Of trees they are coarse: see `permutation`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from stream.grid import FloatArray
from stream.predictor import Inputs, Predictor
from training.evaluate.metrics import Numbers, mean_of
from training.explain.inputs import taken

STEPS: Final = 16
"""Of the path from the flat window to the real one."""


class Attribution(NamedTuple):
    """Of P windows, in the answer's unit.

    window: [P, context, channels], 0 where a value is missing. state: [P]. change: [P], the answer
    less that for the flat window: what the others add up to, but for the length of the steps.
    """

    window: Numbers
    state: Numbers
    change: Numbers


class _Answer:
    """One number of an answer: the median's mean over the leads, or one class's probability."""

    def __init__(self, predictor: Predictor, inputs: Inputs) -> None:
        """inputs: of one window."""
        manifest = predictor.manifest
        self._predictor = predictor
        self._inputs = inputs
        if manifest.classes:
            self._place = int(predictor.predict(inputs).forecast[0, 0].argmax())
        else:
            self._place = int(np.abs(np.array(manifest.quantile_levels) - 0.5).argmin())

    def __call__(self, windows: FloatArray, states: FloatArray) -> Numbers:
        """The number for each of several windows [F, context, channels] and states: [F]."""
        future = self._inputs.future
        inputs = Inputs(
            windows,
            np.repeat(self._inputs.origins, len(windows)),
            states,
            None if future is None else np.repeat(future, len(windows), axis=0),
        )
        answers = self._predictor.predict(inputs).forecast[..., self._place]
        numbers: Numbers = answers.astype(np.float64).mean(axis=1)
        return numbers


def integrated_gradients(predictor: Predictor, inputs: Inputs, steps: int = STEPS) -> Attribution:
    """Attribute the answers for P windows to what they rest on."""
    places = range(len(inputs.windows))
    found = [_one(predictor, taken(inputs, np.array([place])), steps) for place in places]
    windows, states, changes = zip(*found, strict=True)
    return Attribution(np.stack(windows), np.array(states), np.array(changes))


def _one(predictor: Predictor, inputs: Inputs, steps: int) -> tuple[Numbers, float, float]:
    """The attribution of one window: [context, channels], of its state, and the whole change."""
    answer = _Answer(predictor, inputs)
    window, state = inputs.windows[0], inputs.states[0]
    flat = np.where(np.isnan(window), np.nan, mean_of(window, axis=0)).astype(np.float32)
    apart = np.nan_to_num(window - flat)
    places = np.flatnonzero(apart)
    shares = np.zeros(len(places) + 1)
    half = 0.5 / steps
    for step in range(steps):
        along = np.float32((step + 0.5) / steps)
        middle = flat + along * apart
        moved = []
        for way in (half, -half):
            windows = np.repeat(middle[None], len(places) + 1, axis=0)
            flattened = windows.reshape(len(windows), -1)
            flattened[np.arange(len(places)), places] += np.float32(way) * apart.flat[places]
            states = np.repeat((along * state)[None], len(windows), axis=0)
            states[-1] += np.float32(way) * state
            moved.append(answer(windows, states))
        shares += moved[0] - moved[1]
    attributed = np.zeros(window.size)
    attributed[places] = shares[:-1]
    ends = answer(np.stack([flat, window]), np.stack([np.zeros_like(state), state]))
    return attributed.reshape(window.shape), float(shares[-1]), float(ends[1] - ends[0])
