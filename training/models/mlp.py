"""A feed-forward net over the whole window at once (multi-layer perceptron)."""

from __future__ import annotations

from itertools import pairwise
from typing import final

from torch import Tensor, nn

from tidecast.bundle import Positive
from training.features.front import Features, Shape
from training.models.windowed import Dropout, Net, NetConfig


class MlpConfig(NetConfig, frozen=True, forbid_unknown_fields=True, tag="mlp"):
    """`layers`: units of each hidden layer."""

    layers: tuple[Positive, ...] = (256, 128)
    dropout: Dropout = 0.0

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Mlp(self, shape, size)


@final
class Mlp(Net):
    """Rectified layers, then a linear one."""

    def __init__(self, config: MlpConfig, shape: Shape, size: int) -> None:
        super().__init__()
        widths = [shape.flat, *config.layers]
        hidden = [
            part
            for wide, narrow in pairwise(widths)
            for part in (nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(config.dropout))
        ]
        self.stack = nn.Sequential(*hidden, nn.Linear(widths[-1], size))

    def forward(self, features: Features) -> Tensor:
        """See `Net.forward`."""
        raw: Tensor = self.stack(features.flat)
        return raw
