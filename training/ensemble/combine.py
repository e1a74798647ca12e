"""The end of an ensemble's graph: from the members' answers to one.

Quantiles are combined level by level and cannot cross: in each member a higher level is nowhere
below a lower one, and neither a mean with weights that are not negative nor a median can turn that
around, in float32 too, since each rounding is monotone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from training.ensemble.part import Part

SMALL: Final = 1e-7
"""Medians of probabilities are at least this before they are made to sum to one."""


def weighted_mean(part: Part, answers: Sequence[str], name: str, weights: Sequence[float]) -> None:
    """The sum of all answers times their weights, which sum to one, becomes `name`.

    Weighed first and added then: answers may lie so far out that their sum is no float32.
    """
    shares = [f"{answer}/share" for answer in answers]
    for answer, weight, share in zip(answers, weights, shares, strict=True):
        part.add("Mul", [answer, part.constant(f"{answer}/weight", float(weight))], [share])
    part.add("Sum", shares, [name])


def median(part: Part, answers: Sequence[str], name: str) -> None:
    """The middle answer, number by number, or the mean of the two in the middle."""
    count = len(answers)
    layers = [f"{answer}/layer" for answer in answers]
    first = part.constant("median/first", [0])
    for answer, layer in zip(answers, layers, strict=True):
        part.add("Unsqueeze", [answer, first], [layer])
    part.add("Concat", layers, ["median/all"], axis=0)
    upper = part.constant("median/upper", [count // 2 + 1])
    part.add("TopK", ["median/all", upper], ["median/falling", "median/places"], axis=0)
    start, end = part.constant("median/start", [(count - 1) // 2]), upper
    part.add("Slice", ["median/falling", start, end, first], ["median/middle"])
    part.add("ReduceMean", ["median/middle", first], [name], keepdims=0)


def summed_to_one(part: Part, medians: str, name: str) -> None:
    """Medians of probabilities [B, classes] do not sum to one; as shares of their sum they do."""
    part.add("Max", [medians, part.constant("sum/small", SMALL)], ["sum/each"])
    part.add("ReduceSum", ["sum/each", part.constant("sum/axis", [1])], ["sum/all"], keepdims=1)
    part.add("Div", ["sum/each", "sum/all"], [name])
