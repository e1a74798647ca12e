"""A bundle on a case: its answers through the engine, and what came true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.predictor import Predictor
from tidecast.bundle import Manifest
from tidecast.errors import DataError
from training.data.waves import Floats
from training.evaluate.case import Case, came_true, target_of
from training.evaluate.engine_run import Run, run


class BackTest(NamedTuple):
    """What `score` judges and the report draws.

    target: [series, slots], what the model answers for. actual: [series, N, horizon], what came
    true, NaN where it is not known.
    """

    manifest: Manifest
    case: Case
    run: Run
    target: Floats
    actual: Floats

    @property
    def judged(self) -> Floats:
        """What came true where there is an answer: [series, N, horizon], NaN elsewhere."""
        return np.where(self.run.answered[..., None], self.actual, np.nan)


def back_test(predictor: Predictor, case: Case) -> BackTest:
    """Run the model over the case.

    Raises DataError when the data do not fit the model, or hold nothing to score.
    """
    manifest = predictor.manifest
    target = target_of(case.table, manifest)
    found = run(predictor, case.table, case.origins)
    actual = came_true(target, case.origins, manifest.lead, manifest.horizon)
    if np.isnan(actual[found.answered]).all():
        raise DataError(f"{case.name}: after none of its origins is the target known")
    return BackTest(manifest, case, found, target, actual)
