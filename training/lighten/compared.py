"""A lighter bundle beside its parent: size, speed, and how much accuracy it cost."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any, NamedTuple

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import Bundle
from tidecast.errors import BundleError, DataError
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.scores import ClassScores, Scores
from training.evaluate.scoring import score
from training.explain.inputs import sample
from training.lighten.method import name_of
from training.lighten.speed import BATCHES, us_per_row


class Pair(NamedTuple):
    """A figure of the parent, and the lighter bundle's."""

    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before."""
        if self.before == 0:
            return 1.0 if self.after == 0 else float("inf")
        return self.after / self.before


class Compared(NamedTuple):
    """us_per_row: by batch size. measure: the name of the score, which is better when smaller."""

    measure: str
    score: Pair
    size_bytes: Pair
    compressed_bytes: Pair
    us_per_row: dict[int, Pair]
    scores: Scores

    @property
    def loss(self) -> float:
        """By what part the score is worse than the parent's; negative where it is better."""
        return self.score.ratio - 1

    def figures(self) -> dict[str, Any]:
        """For a manifest."""
        sizes = {"bytes": self.size_bytes, "compressed_bytes": self.compressed_bytes}
        return {
            "accuracy": {"measure": self.measure, "loss": _short(self.loss)} | _both(self.score),
            **{name: _both(pair) for name, pair in sizes.items()},
            "us_per_row": {str(batch): _both(pair) for batch, pair in self.us_per_row.items()},
            "back_tests": {self.scores.name: self.scores.figures()},
        }


def compare(parent: Bundle, light: Bundle, case: Case) -> Compared:
    """Measure both on the same case, in turns where it is about time.

    Raises DataError when there is nothing to score.
    """
    predictors = [OnnxPredictor(parent), OnnxPredictor(light)]
    scores = [score(back_test(predictor, case)) for predictor in predictors]
    measure, before = main_score(scores[0])
    inputs = [sample(predictor, case).inputs for predictor in predictors]
    timed = {batch: _pair(us_per_row(predictors, inputs, batch)) for batch in BATCHES}
    graphs = (parent.graph, light.graph)
    return Compared(
        measure=measure,
        score=Pair(before, main_score(scores[1])[1]),
        size_bytes=_pair([len(graph) for graph in graphs]),
        # Without the time of writing in its head, equal graphs have equal sizes.
        compressed_bytes=_pair([len(gzip.compress(graph, mtime=0)) for graph in graphs]),
        us_per_row=timed,
        scores=scores[1],
    )


def main_score(scores: Scores) -> tuple[str, float]:
    """The score that a loss is stated in, by name: smaller is better.

    Forecasts and regressions: the pinball loss in the unit of MASE, over all levels, or in the
    target's own where the history gives no such unit. Classifiers: the log loss.
    """
    if isinstance(scores, ClassScores):
        return "log loss", scores.model.log_loss
    if scores.model.scaled_pinball is not None:
        return "pinball, scaled", scores.model.scaled_pinball
    if scores.model.pinball is None:
        raise DataError(f"{scores.name}: nothing that came true is known")
    return "pinball", scores.model.pinball


def require_accurate(compared: Compared, parent: Bundle, most_loss: float) -> None:
    """Raise BundleError when more accuracy was lost than is allowed."""
    if not compared.loss <= most_loss:
        before, after = compared.score
        raise BundleError(
            f"{compared.measure} rises from {before:.4g}, that of {name_of(parent)}, to "
            f"{after:.4g}: a loss of {compared.loss:.2%}, and --most-loss allows {most_loss:.2%}; "
            "no bundle was written; take a gentler way, or allow more"
        )


def _pair(numbers: Sequence[float]) -> Pair:
    return Pair(*numbers)


def _both(pair: Pair) -> dict[str, float]:
    return {name: _short(number) for name, number in pair._asdict().items()}


def _short(number: float) -> float:
    """With six digits."""
    return float(f"{number:.6g}")
