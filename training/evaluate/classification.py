"""Measures of classifiers, by scikit-learn; precision, recall and F1 are means over the classes.

| measure | formula | source |
|---|---|---|
| balanced_accuracy | mean recall of the classes | Brodersen et al. (2010) |
| roc_auc | each class against the rest, mean | Fawcett (2006) |
| average_precision | the same | |
| log_loss | mean of −log of the probability of what came true | |
| brier | mean over answers of sum((p − came true)²) over classes, 0 to 2 | Brier (1950) |
| calibration_error | mean of abs(share right − confidence), ten bins | Guo et al. (2017) |
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from training.evaluate.metrics import Numbers

BINS: Final = 10
SMALLEST: Final = 1e-15
"""Probabilities are no smaller when their logarithm is taken."""

Classes = NDArray[np.int64]


class ClassMeasures(msgspec.Struct, frozen=True):
    """Of one class against the rest; None where it never, or always, came true."""

    precision: float
    recall: float
    f1: float
    count: int
    roc_auc: float | None
    average_precision: float | None


class CalibrationBin(msgspec.Struct, frozen=True):
    """Answers of like confidence: its mean, the share that was right, how many they are."""

    confidence: float
    right: float
    count: int


class Classification(msgspec.Struct, frozen=True):
    """What the module's table lists. confusion: rows came true, columns were answered."""

    count: int
    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    average_precision: float | None
    log_loss: float
    brier: float
    calibration_error: float
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]
    classes: dict[str, ClassMeasures]


class _Judged(NamedTuple):
    """actual, answered: [N] numbers of classes. probabilities: [N, classes]."""

    actual: Classes
    answered: Classes
    probabilities: Numbers


def classify(actual: Numbers, probabilities: Numbers, names: tuple[str, ...]) -> Classification:
    """Measure probabilities [..., classes] against numbers of classes [...], NaN = not known.

    At least one must be known of both; the class that is answered is the most probable one.
    """
    judged = _known(actual, probabilities)
    truth, answered, numbers = judged.actual, judged.answered, judged.probabilities
    each = {name: _class_measures(judged, place) for place, name in enumerate(names)}
    seen = [one for one in each.values() if one.count]
    bins = calibration(judged.answered == truth, numbers.max(axis=1))
    came_true = np.eye(len(names))[truth]
    matrix = metrics.confusion_matrix(truth, answered, labels=range(len(names)))
    return Classification(
        count=len(truth),
        accuracy=float(metrics.accuracy_score(truth, answered)),
        balanced_accuracy=float(np.mean([one.recall for one in seen])),
        precision=float(np.mean([one.precision for one in each.values()])),
        recall=float(np.mean([one.recall for one in each.values()])),
        f1=float(np.mean([one.f1 for one in each.values()])),
        roc_auc=_mean([one.roc_auc for one in each.values()]),
        average_precision=_mean([one.average_precision for one in each.values()]),
        log_loss=float(-np.log(np.maximum((numbers * came_true).sum(axis=1), SMALLEST)).mean()),
        brier=float(np.square(numbers - came_true).sum(axis=1).mean()),
        calibration_error=sum(bin_.count * abs(bin_.right - bin_.confidence) for bin_ in bins)
        / len(truth),
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        calibration=bins,
        classes=each,
    )


def calibration(right: Numbers, confidence: Numbers) -> tuple[CalibrationBin, ...]:
    """Answers [N] in bins of equal width by their confidence; empty bins are left out."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        CalibrationBin(
            float(confidence[places == place].mean()),
            float(right[places == place].mean()),
            int((places == place).sum()),
        )
        for place in np.unique(places)
    )


def _known(actual: Numbers, probabilities: Numbers) -> _Judged:
    """Answers of which the truth is known, in one row."""
    numbers = probabilities.reshape(-1, probabilities.shape[-1]).astype(np.float64)
    truth = actual.reshape(-1)
    known = ~np.isnan(truth) & ~np.isnan(numbers).any(axis=1)
    return _Judged(truth[known].astype(np.int64), numbers[known].argmax(axis=1), numbers[known])


def _class_measures(judged: _Judged, place: int) -> ClassMeasures:
    wanted, answered = judged.actual == place, judged.answered == place
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        wanted, answered, average="binary", pos_label=True, zero_division=0.0
    )
    both = bool(wanted.any()) and not bool(wanted.all())
    scores = judged.probabilities[:, place]
    return ClassMeasures(
        float(precision),
        float(recall),
        float(f1),
        int(wanted.sum()),
        float(metrics.roc_auc_score(wanted, scores)) if both else None,
        float(metrics.average_precision_score(wanted, scores)) if both else None,
    )


def _mean(numbers: list[Any]) -> float | None:
    known = [number for number in numbers if number is not None]
    return float(np.mean(known)) if known else None
