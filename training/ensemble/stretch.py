"""The end of a calibrated graph: its levels moved apart or together, around the same median.

Levels cannot cross, in float32 too. A level that is nowhere below the nearer one has a gap that is
not negative; times a positive factor, added to where the nearer level is now, and cut off, it stays
so, since each rounding is monotone. All of it is done number by number: no answer depends on the
others in its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from tidecast.bundle import Bundle
from training.ensemble.join import joined
from training.ensemble.part import Part
from training.tasks.forecast import BEYOND


def stretched(bundle: Bundle, factors: Sequence[float]) -> bytes:
    """A bundle's graph with each gap between two levels times its factor, by the same contract.

    factors: positive, [levels - 1] of the gaps from the lowest level to the highest, as
    `training.calibration.stretches` has them. The median, which must be among the levels, stays;
    where all factors are 1 the graph does. Raises BundleError when its operators are of other
    versions than ours.
    """
    if all(factor == 1 for factor in factors):
        return bundle.graph
    middle = bundle.manifest.quantile_levels.index(0.5)
    combine = partial(_stretch, middle=middle, factors=factors)
    serialised: bytes = joined([bundle], combine).SerializeToString()
    return serialised


def _stretch(
    part: Part, answers: Sequence[str], name: str, middle: int, factors: Sequence[float]
) -> None:
    """The one answer [B, horizon, levels], stretched around the level `middle`, becomes `name`."""
    (answer,) = answers
    levels = [f"stretch/level{place}" for place in range(len(factors) + 1)]
    one_each = part.constant("stretch/one_each", [1] * len(levels))
    part.add("Split", [answer, one_each], levels, axis=2)
    below = _outwards(part, levels[middle::-1], factors[:middle][::-1])
    above = _outwards(part, levels[middle:], factors[middle:])
    part.add("Concat", [*below[:0:-1], *above], ["stretch/all"], axis=2)
    ends = part.constant("stretch/least", -BEYOND), part.constant("stretch/largest", BEYOND)
    part.add("Clip", ["stretch/all", *ends], [name])


def _outwards(part: Part, levels: Sequence[str], factors: Sequence[float]) -> list[str]:
    """Names of the levels where they are now; levels: from the median outwards."""
    moved = [levels[0]]
    for (nearer, further), factor in zip(pairwise(levels), factors, strict=True):
        gap, wide, now = (f"{further}/{what}" for what in ("gap", "wide", "now"))
        part.add("Sub", [further, nearer], [gap])
        part.add("Mul", [gap, part.constant(f"{further}/factor", float(factor))], [wide])
        part.add("Add", [moved[-1], wide], [now])
        moved.append(now)
    return moved
