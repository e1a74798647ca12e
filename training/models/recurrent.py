"""The textbooks' recurrent nets: stacked cells read the window from its oldest slot to its newest.

`rnn`: Elman (1990). `gru`: Cho et al. (2014). `lstm`: Hochreiter & Schmidhuber (1997). Each starts
from zeros at every window; the streaming families carry their state from slot to slot instead.
"""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from tidecast.bundle import Positive
from training.features.front import Features, Shape
from training.models.decoder import Decoder
from training.models.windowed import Dropout, Net, NetConfig

Cells = nn.RNN | nn.GRU | nn.LSTM


class RecurrentConfig(NetConfig, frozen=True, forbid_unknown_fields=True):
    """`layers` layers of `hidden` units, with dropout after each."""

    layers: Positive = 2
    hidden: Positive = 50
    dropout: Dropout = 0.0


class RnnConfig(RecurrentConfig, frozen=True, forbid_unknown_fields=True, tag="rnn"):
    """Plain cells: quick, and forgetful beyond some ten slots."""

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Recurrent(nn.RNN, self, shape, size)


class GruConfig(RecurrentConfig, frozen=True, forbid_unknown_fields=True, tag="gru"):
    """Cells with two gates."""

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Recurrent(nn.GRU, self, shape, size)


class LstmConfig(RecurrentConfig, frozen=True, forbid_unknown_fields=True, tag="lstm"):
    """Cells with three gates and a memory of their own."""

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return Recurrent(nn.LSTM, self, shape, size)


@final
class Recurrent(Net):
    """The output of the last layer at the newest slot, decoded."""

    def __init__(self, kind: type[Cells], config: RecurrentConfig, shape: Shape, size: int) -> None:
        super().__init__()
        self.cells = kind(
            shape.slot,
            config.hidden,
            config.layers,
            batch_first=True,
            # torch's own goes between layers and warns where there is only one.
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.decoder = Decoder(config.hidden, shape, size)

    def forward(self, features: Features) -> Tensor:
        """See `Net.forward`."""
        outputs, _ = self.cells(features.slots)
        raw: Tensor = self.decoder(self.dropout(outputs[:, -1]), features)
        return raw
