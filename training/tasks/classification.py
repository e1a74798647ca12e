"""Classification: a probability for each class, of the window or of what comes some slots on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
import torch
from msgspec import Meta
from torch import Tensor
from torch.nn import functional

from tidecast.bundle import Text
from training.data.waves import Floats
from training.features.front import Features
from training.tasks.head import Head


class ClassificationTask(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="classification"
):
    """The class, a label `target`, of the slot `lead` after the window's newest one.

    classes: their names; labels in the data are these names, or their numbers from 0 on. weights:
    `balanced` has every class count alike, however rare it is.
    """

    target: Text
    classes: Annotated[tuple[Text, ...], Meta(min_length=2)]
    lead: Annotated[int, Meta(ge=0)] = 0
    weights: Literal["none", "balanced"] = "none"

    def __post_init__(self) -> None:
        """Raise ValueError on a class that is named twice."""
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes repeat a name: {self.classes}")


class ClassificationHead(Head):
    """Logits to probabilities."""

    classifies = True

    def __init__(self, task: ClassificationTask, counts: Sequence[int]) -> None:
        """counts: how often each class occurs in the training part."""
        super().__init__()
        self.size = self.width = len(task.classes)
        seen = torch.tensor(counts, dtype=torch.float32).clamp(min=1)
        balanced = seen.sum() / (len(counts) * seen)
        weights = balanced if task.weights == "balanced" else torch.ones(self.size)
        self.register_buffer("weights", weights)
        self.weights: Tensor

    def forward(self, raw: Tensor, features: Features) -> Tensor:
        """See `Head.forward`: [B, classes]."""
        del features
        return raw.softmax(-1)

    def loss(self, raw: Tensor, features: Features, targets: Tensor) -> Tensor:
        """Cross entropy. targets: [B] numbers of classes."""
        del features
        known = ~torch.isnan(targets)
        wanted = torch.where(known, targets, 0.0).long()
        losses = functional.cross_entropy(raw, wanted, reduction="none")
        weights = self.weights[wanted] * known
        return (losses * weights).sum() / weights.sum().clamp(min=1e-6)

    def unit(self, window: Floats) -> Floats:
        """See `Head.unit`: probabilities have none."""
        return np.ones(len(window), np.float32)
