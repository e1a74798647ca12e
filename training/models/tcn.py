"""A temporal convolutional net: causal filters that reach twice as far in every block.

After Bai et al. (2018, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks
for Sequence Modeling"): block i dilates its filters by 2**i. Only the output at the newest slot is
asked for, and it rests on every 2**i-th slot of block i alone. So in place of dilating filters,
slots that nothing asks for are dropped: the same numbers at a fraction of the work. The paper also
normalises weights, which helps plain gradient descent; here penalties and pruning are to meet the
weights themselves.
"""

from __future__ import annotations

from typing import Annotated, final

from msgspec import Meta
from torch import Tensor, nn

from tidecast.bundle import Positive
from training.features.front import Features, Shape
from training.models.decoder import Decoder
from training.models.windowed import Dropout, Net, NetConfig


class TcnConfig(NetConfig, frozen=True, forbid_unknown_fields=True, tag="tcn"):
    """`filters`: of each convolution. `kernel`: slots a filter sees, before it is dilated."""

    filters: Positive = 32
    kernel: Annotated[int, Meta(ge=2)] = 3
    dropout: Dropout = 0.0

    @property
    def blocks(self) -> int:
        """The fewest whose receptive field covers the context."""
        blocks = 1
        while 1 + 2 * (self.kernel - 1) * (2**blocks - 1) < self.context:
            blocks += 1
        return blocks

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Tcn(self, shape, size)


@final
class Tcn(Net):
    """Residual blocks, then the newest slot decoded."""

    def __init__(self, config: TcnConfig, shape: Shape, size: int) -> None:
        super().__init__()
        blocks = []
        seen, slots = shape.slot, shape.context
        for _ in range(config.blocks):
            blocks.append(Block(config, seen, slots))
            seen, slots = config.filters, blocks[-1].slots
        self.blocks = nn.Sequential(*blocks)
        self.decoder = Decoder(config.filters, shape, size)

    def forward(self, features: Features) -> Tensor:
        """See `Net.forward`."""
        newest = self.blocks(features.slots.transpose(1, 2))[..., -1]
        raw: Tensor = self.decoder(newest, features)
        return raw


@final
class Block(nn.Module):
    """Two causal convolutions beside a way round them, at every second slot, the newest included.

    `slots`: how many that are.
    """

    def __init__(self, config: TcnConfig, seen: int, slots: int) -> None:
        super().__init__()
        made, kernel = config.filters, config.kernel
        self.skipped = (slots - 1) % 2
        self.slots = (slots + 1) // 2
        # torch pads both ends alike; what it makes of slots after the newest one is cut off below.
        self.first = nn.Conv1d(seen, made, kernel, padding=kernel - 1)
        before = kernel - 1 - self.skipped
        self.second = nn.Conv1d(made, made, kernel, stride=2, padding=before)
        self.around = nn.Identity() if seen == made else nn.Conv1d(seen, made, 1)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, slots: Tensor) -> Tensor:
        """slots: [B, seen, slots of the block before], the newest last. → [B, made, slots]."""
        hidden = self.dropout(self.first(slots).relu())
        hidden = self.dropout(self.second(hidden).relu()[..., : self.slots])
        both: Tensor = hidden + self.around(slots[..., self.skipped :: 2])
        return both.relu()
