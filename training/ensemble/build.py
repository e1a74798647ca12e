"""From finished bundles to one graph that answers for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

import numpy as np
import torch

from stream.grid import FloatArray
from tidecast.bundle import Bundle, Manifest
from tidecast.errors import SettingsError
from training.ensemble.answers import answers_of
from training.ensemble.combine import median, summed_to_one, weighted_mean
from training.ensemble.join import Combine, joined
from training.ensemble.members import common_step, require_alike
from training.ensemble.part import Part
from training.ensemble.stack import Weights, best_weights, log_loss_of, pinball_of
from training.features.window import normalise
from training.rows import Rows

Method = Literal["mean", "median", "stacked"]

WORTHLESS: Final = 0.005
"""A stacked member that weighs less is left out: it would cost its time at every event."""


class Ensemble(NamedTuple):
    """One graph of several, and what its manifest has to say of it.

    weights: of each member, empty for a median; 0 where a stacked member was left out.
    """

    graph: bytes
    context: int
    state_size: int
    step_seconds: int | None
    weights: tuple[float, ...]


def ensemble(members: Sequence[Bundle], method: Method, rows: Rows | None = None) -> Ensemble:
    """Join bundles of the same task, target, channels, horizon, levels or classes into one graph.

    Contexts may differ: a shorter one takes the newest slots of the longest. States of streaming
    members lie side by side. rows: the validation part, windows of the longest context, which
    weights of `stacked` are fitted on; the other methods need none. Raises BundleError when members
    do not fit together, SettingsError when `stacked` has no rows, DataError when they do not do.
    """
    require_alike(members)
    if method == "median":
        classifies = members[0].manifest.task == "classification"
        return _ensemble(members, (), _normed_median if classifies else median)
    weights = np.full(len(members), 1 / len(members))
    if method == "stacked":
        weights = stacked_weights(members, rows)
    kept = [member for member, weight in zip(members, weights, strict=True) if weight]
    combine = partial(weighted_mean, weights=[float(weight) for weight in weights if weight])
    return _ensemble(kept, tuple(weights.tolist()), combine)


def stacked_weights(members: Sequence[Bundle], rows: Rows | None) -> Weights:
    """Weights [members] that do best on validation rows, those of no use at 0."""
    if rows is None:
        raise SettingsError("a stacked ensemble fits its weights: give it the validation rows")
    answers = np.stack([answers_of(member, rows) for member in members])
    manifest = members[0].manifest
    if manifest.task == "classification":
        loss = log_loss_of(answers[:, :, 0], rows.targets)
    else:
        targets = rows.targets.reshape(len(rows.targets), -1)
        loss = pinball_of(answers, targets, manifest.quantile_levels, _units(manifest, rows))
    weights = best_weights(loss, len(members))
    kept = np.where(weights < WORTHLESS, 0.0, weights)
    total: Weights = kept / kept.sum()
    return total


def _ensemble(members: Sequence[Bundle], weights: tuple[float, ...], combine: Combine) -> Ensemble:
    return Ensemble(
        graph=joined(members, combine).SerializeToString(),
        context=max(member.manifest.context for member in members),
        state_size=sum(member.manifest.state_size for member in members),
        step_seconds=common_step(members),
        weights=weights,
    )


def _normed_median(part: Part, answers: Sequence[str], name: str) -> None:
    """The median of probabilities, made to sum to one."""
    median(part, answers, "median/each")
    summed_to_one(part, "median/each", name)


def _units(manifest: Manifest, rows: Rows) -> FloatArray:
    """What an error of one is in each row [N]: the spread of the target in the window."""
    if manifest.task != "forecast":
        return np.ones(len(rows.windows), np.float32)
    channel = manifest.channel_names.index(manifest.target)
    windows = torch.from_numpy(np.ascontiguousarray(rows.windows[:, :, channel]))
    spread: FloatArray = normalise(windows, windows.shape[1]).spread[:, 0].numpy()
    return spread
