"""Pictures and tables of a classifier: confusion, calibration, each class."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from training.evaluate.classification import Classification
from training.evaluate.scores import ClassScores
from training.report.html import number, table
from training.report.pictures import INK, QUIET, row_of_axes, titled, to_svg

HEADS = ("accuracy", "balanced_accuracy", "f1", "roc_auc", "average_precision", "log_loss", "brier")


def class_section(scores: ClassScores) -> str:
    """All that a report says of a classifier."""
    forecasters = {"model": scores.model} | scores.baselines
    compared = (
        (name, *(number(getattr(found, head)) for head in (*HEADS, "calibration_error")))
        for name, found in forecasters.items()
    )
    heads = [head.replace("_", " ") for head in (*HEADS, "calibration_error")]
    return table(("", *heads), compared) + _each_class(scores.model) + _pictures(scores.model)


def _each_class(found: Classification) -> str:
    rows = (
        (
            name,
            f"{one.count}",
            *(number(value) for value in (one.precision, one.recall, one.f1, one.roc_auc)),
        )
        for name, one in found.classes.items()
    )
    return table(("class", "came true", "precision", "recall", "f1", "roc auc"), rows)


def _pictures(found: Classification) -> str:
    figure, (confusion, calibration) = row_of_axes(2, height=3.2)
    _confusion(confusion, found)
    calibration.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8)
    bins = found.calibration
    calibration.plot(
        [bin_.confidence for bin_ in bins], [bin_.right for bin_ in bins], color=INK, marker="o"
    )
    titled(calibration, f"share right by confidence; error {found.calibration_error:.3f}")
    return to_svg(figure)


def _confusion(axes: Axes, found: Classification) -> None:
    """Rows came true, columns were answered; colours are shares of a row."""
    counts = np.array(found.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # Squares as shapes: an image would be a bitmap inside the page.
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
    names = list(found.classes)
    middles = np.arange(len(names)) + 0.5
    for row, column in np.ndindex(*counts.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column + 0.5, row + 0.5, str(counts[row, column]), ha="center", color=colour)
    axes.set_xticks(middles, names)
    axes.set_yticks(middles, names)
    axes.invert_yaxis()
    titled(axes, "came true (rows), answered (columns)")
