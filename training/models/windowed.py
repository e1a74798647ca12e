"""A model that sees one window at a time: front, net and head, one module and one graph.

window, origin, future ─► front ─► net ─► head ─► forecast | probability
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, final

import msgspec
from msgspec import Meta
from torch import Tensor, nn

from tidecast.bundle import Positive
from training.data.waves import Floats
from training.features.front import Features, Front, Shape
from training.graphs import Contract
from training.models.model import Model
from training.tasks.head import Head

Dropout = Annotated[float, Meta(ge=0.0, lt=1.0)]
"""Share of a layer's units that is left out while fitting (Srivastava et al., 2014)."""


class Net(nn.Module):
    """The part that differs from family to family: features to raw numbers."""

    @abstractmethod
    def forward(self, features: Features) -> Tensor:
        """→ [B, size], what the task's head asked for."""


class NetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family"):
    """What all windowed families share. `context`: slots of a window."""

    context: Positive = 96

    def net(self, shape: Shape, size: int) -> Net:
        """Build the family's net for features of that shape."""
        raise NotImplementedError


@final
class Windowed(Model):
    """Any windowed net between a front and a head."""

    state_size = 0

    def __init__(self, front: Front, net: Net, head: Head) -> None:
        super().__init__()
        self.front = front
        self.net = net
        self.head = head

    def forward(self, window: Tensor, origin: Tensor, future: Tensor | None = None) -> Tensor:
        """Answer by the contract in `tidecast.bundle`."""
        features = self.front(window, origin, future)
        answer: Tensor = self.head(self.net(features), features)
        return answer

    @property
    def contract(self) -> Contract:
        """See Model."""
        shape = self.front.shape
        return Contract(
            context=shape.context,
            channels=shape.channels,
            horizon=shape.horizon,
            width=self.head.width,
            classifies=self.head.classifies,
            covariates=self.front.known_ahead,
        )

    def unit(self, window: Floats) -> Floats:
        """See Model."""
        return self.head.unit(window)

    def loss(
        self, window: Tensor, origin: Tensor, future: Tensor | None, targets: Tensor
    ) -> Tensor:
        """What a fit minimises; targets as the task's head takes them."""
        features = self.front(window, origin, future)
        return self.head.loss(self.net(features), features, targets)
