"""The model's own inputs at some origins, as the engine gives them: windows, states and all."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from stream.grid import FloatArray, IntArray
from stream.predictor import Inputs, Prediction, Predictor
from tidecast.errors import DataError
from training.data.places import evenly
from training.evaluate.back_test import back_test
from training.evaluate.case import Case

SEED: Final = 21
MOST: Final = 512
"""Windows that are looked at: more change the averages little."""


class Sampled(NamedTuple):
    """P windows.

    inputs: of the model. rows: [P] of the series. actual: [P, horizon], what came true.
    """

    inputs: Inputs
    rows: IntArray
    actual: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, places: IntArray) -> Sampled:
        """The given windows alone."""
        return Sampled(taken(self.inputs, places), self.rows[places], self.actual[places])


class _Recorder:
    """A model that keeps what it is given."""

    def __init__(self, predictor: Predictor) -> None:
        self.manifest = predictor.manifest
        self.given: list[Inputs] = []
        self._predictor = predictor

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        self.given.append(inputs)
        return self._predictor.predict(inputs)

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        return self._predictor.step(inputs)


def sample(predictor: Predictor, case: Case) -> Sampled:
    """The inputs at evenly spaced origins of the case, at most MOST, chosen by a fixed seed.

    Raises DataError when nothing can be answered or scored there.
    """
    series = len(case.table.names)
    places = evenly(len(case.origins), max(2, MOST // series))
    recorder = _Recorder(predictor)
    test = back_test(recorder, case._replace(origins=case.origins[places]))
    # The engine asks for all series of a slot at once, one slot after the other.
    number, rows = np.nonzero(test.run.answered.T)
    found = Sampled(_joined(recorder.given), rows, test.actual[rows, number])
    known = np.flatnonzero(~np.isnan(found.actual).all(axis=1))
    if len(known) > MOST:
        known = np.sort(np.random.default_rng(SEED).choice(known, MOST, replace=False))
    if not len(known):
        raise DataError(f"{case.name}: no window is followed by a known target")
    return found.of(known)


def taken(inputs: Inputs, places: IntArray) -> Inputs:
    """The inputs at the given places [P]."""
    return Inputs(
        inputs.windows[places],
        inputs.origins[places],
        inputs.states[places],
        None if inputs.future is None else inputs.future[places],
    )


def _joined(given: list[Inputs]) -> Inputs:
    futures = [inputs.future for inputs in given if inputs.future is not None]
    return Inputs(
        np.concatenate([inputs.windows for inputs in given]),
        np.concatenate([inputs.origins for inputs in given]),
        np.concatenate([inputs.states for inputs in given]),
        np.concatenate(futures) if futures else None,
    )
