"""The shipped general models on data that they have never seen, beside what needs no training.

The first 24 steps of test parts, answered through the serving engine from every origin. ETS and
Theta, which are fitted anew at each origin, are too slow for all of them: a seed draws some, and
everybody is scored on those as well. They see the last 40 seasons before an origin, the models the
whole series. MASE is by the training part, seasonality 24.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.accuracy.contest import no_figure
from bench.accuracy.rows import Row
from bench.models import BUNDLES
from bench.processes import BenchError
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Predictor
from tidecast.bundle import Manifest, read_bundle
from training.benchmarks import RowsBenchmark, load
from training.data.bar import counted
from training.data.columns import FileSource
from training.data.files import read_files
from training.data.table import split_rows
from training.evaluate.back_test import BackTest, back_test
from training.evaluate.case import Case, origins_for
from training.evaluate.fitted import Fitted, fit_some
from training.evaluate.metrics import Measures
from training.evaluate.scores import MODEL, ForecastScores, summary
from training.evaluate.scoring import score

NAME: Final = "zero-shot"
MODELS: Final = ("general-gru/1", "general-lstm/1")
DATA: Final = Path("../shared/data")
SEASONALITY: Final = 24
ETTH1_ROWS: Final = (8640, 2880, 2880)
"""To train, validate and test, as published tables have it."""


def _etth1(folder: Path, manifest: Manifest) -> Case:
    table = read_files(FileSource("ett/ETTh1.csv"), folder).table
    cut = split_rows(table, *ETTH1_ROWS, manifest.horizon)
    origins = origins_for(cut.testing, manifest.lead, manifest.horizon)
    return Case("ETTh1", table, origins, cut.validate, SEASONALITY)


def _m4_hourly(folder: Path, manifest: Manifest) -> Case:
    files = RowsBenchmark("M4 Hourly", "m4/Hourly-train.csv", "m4/Hourly-test.csv")
    return load(files, folder, manifest, SEASONALITY)


CASES: Final = ((_etth1, 200), (_m4_hourly, 414))
"""How to read each data set, and at how many answers ETS and Theta are fitted: some of ETTh1's
20,000, all of M4's. Half a second each.
"""


def run(tell: Callable[[str], None], data: Path = DATA, bundles: Path = BUNDLES) -> list[Row]:
    """Try the models on each data set. Raises BenchError when a file or a bundle is unfit."""
    with no_figure(NAME):
        predictors = [OnnxPredictor(read_bundle(bundles / model)) for model in MODELS]
        cases = [(read(data, predictors[0].manifest), drawn) for read, drawn in CASES]
        return [row for case, drawn in cases for row in try_on(case, predictors, drawn, tell)]


def try_on(
    case: Case, predictors: Sequence[Predictor], drawn: int, tell: Callable[[str], None]
) -> list[Row]:
    """Rows of the models and of all baselines, at every origin and at the drawn answers.

    Raises BenchError when the models do not forecast the same steps.
    """
    horizons = {(predictor.manifest.lead, predictor.manifest.horizon) for predictor in predictors}
    if len(horizons) > 1:
        raise BenchError(f"models of different horizons, {horizons}, cannot be compared")
    rows: dict[tuple[str, int | None], Row] = {}
    fitted: Fitted | None = None
    for predictor in predictors:
        tell(f"{case.name}: {predictor.manifest.name} answers")
        started = time.monotonic()
        test = back_test(predictor, case)
        minutes = (time.monotonic() - started) / 60
        fitted = fitted or _fit(test, drawn, tell)
        scores = score(test, fitted)
        tell(summary(scores))
        assert isinstance(scores, ForecastScores), "a general model forecasts"
        own = _Model(predictor.manifest, round(minutes, 2))
        # The baselines' rows are the same for each model, and stay where they are.
        rows |= {(row.model, row.answers): row for row in _rows(scores, own)}
    return list(rows.values())


def _fit(test: BackTest, drawn: int, tell: Callable[[str], None]) -> Fitted | None:
    tell(f"{test.case.name}: ETS and Theta are fitted at {drawn} answers at most")
    with counted("ETS and Theta") as done:
        return fit_some(test, drawn, done)


class _Model(NamedTuple):
    """A model, and how long its answers took."""

    manifest: Manifest
    minutes: float


def _rows(scores: ForecastScores, own: _Model) -> list[Row]:
    found = _named({MODEL: scores.model} | scores.baselines, scores.name, own, None)
    if scores.sample is not None:
        found += _named(scores.sample.measures, scores.name, own, scores.sample.answers)
    return found


def _named(
    measured: Mapping[str, Measures], data: str, own: _Model, answers: int | None
) -> list[Row]:
    """A row for each forecaster; what is the model's alone has its name, seed and time."""
    manifest = own.manifest
    rows = []
    for name, measures in measured.items():
        ours = name == MODEL
        rows.append(
            Row(
                contest=NAME,
                data=data,
                horizon=manifest.horizon,
                model=manifest.name if ours else name,
                seed=manifest.training.get("seed") if ours else None,
                mse=measures.standard_mse,
                mae=measures.standard_mae,
                owa=measures.owa,
                mase=measures.mase,
                coverage=measures.coverage,
                answers=answers,
                minutes=own.minutes if ours else None,
            )
        )
    return rows
