"""What a fit is asked for, and what every family gives back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from training.config import Recipe
from training.fit import Progress
from training.graphs import Contract
from training.parity import Finding
from training.source import Source


class Job(NamedTuple):
    """A recipe, its data, and where a fit by steps keeps its checkpoint.

    resume: go on from the checkpoint, where there is one. deadline: of a fit by steps, see
    `Fit.run`.
    """

    recipe: Recipe
    source: Source
    checkpoint: Path
    resume: bool = False
    deadline: float = math.inf


class Listener(NamedTuple):
    """Whom to tell: of each training step, and of each stage in one line."""

    step: Callable[[Progress], None]
    stage: Callable[[str], None]


class Fitted(NamedTuple):
    """A graph that passed the parity gate, and what its manifest says of it.

    channels, covariates: their names, in the graph's order. findings: of the parity gate. figures:
    of the fit, for people.
    """

    graph: bytes
    contract: Contract
    channels: tuple[str, ...]
    covariates: tuple[str, ...]
    findings: list[Finding]
    figures: dict[str, object]
