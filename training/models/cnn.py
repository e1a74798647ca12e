"""A convolutional net along time (1-D): filters find shapes, pooling forgives where they lie."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, final

from msgspec import Meta
from torch import Tensor, nn

from tidecast.bundle import Positive
from training.features.front import Features, Shape
from training.models.decoder import Decoder
from training.models.windowed import Dropout, Net, NetConfig


class CnnConfig(NetConfig, frozen=True, forbid_unknown_fields=True, tag="cnn"):
    """`filters`: how many each convolution has. `kernel`: slots a filter sees.

    `pool`: of so many neighbours the largest goes on. `units`: of the dense layer at the end.
    """

    filters: Annotated[tuple[Positive, ...], Meta(min_length=1)] = (32, 64)
    kernel: Positive = 5
    pool: Positive = 2
    units: Positive = 128
    dropout: Dropout = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError when pooling leaves nothing of the window."""
        if not self.pooled:
            raise ValueError(
                f"pooling by {self.pool} after {len(self.filters)} convolutions leaves nothing of "
                f"{self.context} slots; give a longer context, fewer filters or a smaller pool"
            )

    @property
    def pooled(self) -> int:
        """Slots left after the last pooling."""
        slots: int = self.context // self.pool ** len(self.filters)
        return slots

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Cnn(self, shape, size)


@final
class Cnn(Net):
    """Convolution, rectifier and pooling in turn, then a dense layer (LeCun et al., 1998)."""

    def __init__(self, config: CnnConfig, shape: Shape, size: int) -> None:
        super().__init__()
        convolutions = [
            part
            for seen, made in pairwise((shape.slot, *config.filters))
            for part in (
                nn.Conv1d(seen, made, config.kernel, padding="same"),
                nn.ReLU(),
                nn.MaxPool1d(config.pool),
            )
        ]
        self.stack = nn.Sequential(
            *convolutions,
            nn.Flatten(),
            nn.Linear(config.filters[-1] * config.pooled, config.units),
            nn.ReLU(),
            nn.Dropout(config.dropout),
        )
        self.decoder = Decoder(config.units, shape, size)

    def forward(self, features: Features) -> Tensor:
        """See `Net.forward`."""
        raw: Tensor = self.decoder(self.stack(features.slots.transpose(1, 2)), features)
        return raw
