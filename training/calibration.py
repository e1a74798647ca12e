"""Calibration: gaps between levels become as wide as what came true shows they must be.

A net that has learned its training part well is too sure of itself. As in conformalised quantile
regression (Romano et al., 2019), here by a factor for each gap: from the median outwards, each
level is put where its share of what came true lies below it.

A validation part is one stretch of the calendar, and may be calmer or wilder than what comes next.
The training part is longer, has seen more, and is what a streaming model, whose pieces never come
twice alike, cannot know by heart: there, each factor is the geometric mean of those of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean
from typing import Final

import numpy as np
import torch
from torch import Tensor

from training.evaluate.back_test import BackTest
from training.lessons import Scored, ScoredLesson
from training.tasks.band import Band

NARROWEST: Final = 0.2
WIDEST: Final = 5.0
"""Factors beyond say that the validation part is unlike all else, not how wide a band must be."""
TELLING: Final = 20
"""How many targets should lie outside a level before a share of them says anything."""
THINNEST: Final = 1e-9
"""A gap below is none: no factor widens it."""


def calibrate(lesson: ScoredLesson) -> list[float]:
    """Set the factors of a fitted model's band; returns them, none for a classifier.

    A level that too few targets of a part tell of has a factor of 1 there.
    """
    band = next((part for part in lesson.model.modules() if isinstance(part, Band)), None)
    if band is None:
        return []
    with torch.no_grad():
        parts = [list(lesson.scored()), list(lesson.practised())]
        each = [stretches(_known(part), band.levels) for part in parts if part]
        factors = [geometric_mean(of_gap) for of_gap in zip(*each, strict=True)]
        band.stretch.copy_(torch.tensor(factors)[:, None])
    return factors


def _known(parts: Sequence[Scored]) -> Scored:
    """All answers as one: quantiles [N, levels] and targets [N], all of them known."""
    quantiles = torch.cat([part.quantiles.flatten(0, 1) for part in parts]).double()
    targets = torch.cat([part.targets.flatten() for part in parts]).double()
    known = ~torch.isnan(targets)
    return Scored(quantiles[known], targets[known])


def scored_of(test: BackTest) -> Scored:
    """What a back-test tells of a band: quantiles [N, levels] and targets [N], all of them known.

    Each in units of the band's own width there: where it has none, no factor gives it one.
    """
    known = ~np.isnan(test.judged)
    quantiles = test.run.answers[known].astype(np.float64)
    width = quantiles[:, -1] - quantiles[:, 0]
    wide = width > 0
    quantiles, targets = quantiles[wide] / width[wide, None], test.judged[known][wide] / width[wide]
    return Scored(torch.from_numpy(quantiles), torch.from_numpy(targets))


def stretches(scored: Scored, levels: Sequence[float]) -> list[float]:
    """Factors of the gaps, from the lowest level to the highest.

    scored: quantiles [N, levels] and targets [N], all of them known.
    """
    quantiles, targets = scored
    middle = levels.index(0.5)
    below = _outwards(
        -quantiles[:, : middle + 1].flip(-1),
        -targets,
        [1 - level for level in levels[:middle][::-1]],
    )
    above = _outwards(quantiles[:, middle:], targets, levels[middle + 1 :])
    return below[::-1] + above


def _outwards(quantiles: Tensor, targets: Tensor, levels: Sequence[float]) -> list[float]:
    """Factors of the gaps from the median, the first column, to each level above it."""
    factors = []
    nearer = quantiles[:, 0]
    for place, level in enumerate(levels, start=1):
        gap = quantiles[:, place] - quantiles[:, place - 1]
        wide = gap > THINNEST
        factor = 1.0
        if (1 - level) * int(wide.sum()) >= TELLING:
            ratios = (targets - nearer)[wide] / gap[wide]
            rank = min(int(level * len(ratios)), len(ratios) - 1)
            factor = float(ratios.kthvalue(rank + 1).values.clamp(NARROWEST, WIDEST))
        factors.append(factor)
        nearer = nearer + factor * gap
    return factors
