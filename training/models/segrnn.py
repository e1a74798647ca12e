"""SegRNN: a GRU over segments of the window, then all segments of the horizon at once.

After Lin et al. (2023, "SegRNN: Segment Recurrent Neural Network for Long-Term Time Series
Forecasting"). There each channel runs alone, and an embedding says which one it is; here all
channels are read together to answer for one, so in that embedding's place stands what is known
ahead of the segment.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from tidecast.bundle import Positive
from training.features.front import Features, Shape
from training.models.windowed import Dropout, Net, NetConfig


class SegRnnConfig(NetConfig, frozen=True, forbid_unknown_fields=True, tag="segrnn"):
    """`segment`: slots read at once, and leads answered at once. `hidden`: units of the GRU.

    The oldest slots of a context that is no multiple of `segment` are not read.
    """

    segment: Positive = 12
    hidden: Positive = 128
    dropout: Dropout = 0.0

    def net(self, shape: Shape, size: int) -> Net:
        """See `NetConfig.net`."""
        return SegRnn(self, shape, size)


@final
class SegRnn(Net):
    """One GRU reads segment after segment, then takes one step into each segment ahead."""

    def __init__(self, config: SegRnnConfig, shape: Shape, size: int) -> None:
        super().__init__()
        self.shape = shape
        self.hidden = config.hidden
        self.slots = min(config.segment, shape.context)
        self.leads = min(config.segment, shape.horizon)
        self.read = shape.context // self.slots
        self.answered = -(-shape.horizon // self.leads)
        self.numbers = size // shape.horizon
        self.embed = nn.Linear(self.slots * shape.slot, config.hidden)
        self.gru = nn.GRU(config.hidden, config.hidden, batch_first=True)
        self.place = nn.Parameter(torch.randn(self.answered, config.hidden))
        self.known = nn.Linear(self.leads * shape.ahead, config.hidden) if shape.ahead else None
        # The last segment may reach beyond the horizon: there the last lead's features repeat.
        places = torch.arange(self.answered * self.leads).clamp(max=shape.horizon - 1)
        self.register_buffer("places", places)
        self.places: Tensor
        self.dropout = nn.Dropout(config.dropout)
        self.answer = nn.Linear(config.hidden, self.numbers * self.leads)
        self.level = nn.Linear(shape.channels + shape.history, size, bias=False)
        nn.init.zeros_(self.level.weight)

    def forward(self, features: Features) -> Tensor:
        """See `Net.forward`."""
        channels = self.shape.channels
        values = features.slots[..., :channels]
        newest = values[:, -1]
        # The newest values are taken off, and answers get back what they learn to want of them.
        slots = torch.cat((values - newest[:, None], features.slots[..., channels:]), -1)
        raw = self._decode(self._encode(slots), features.ahead)
        level: Tensor = self.level(torch.cat((newest, features.history), 1))
        return raw + level

    def _encode(self, slots: Tensor) -> Tensor:
        """slots: [B, context, slot]. → [B, hidden]."""
        newest = slots[:, -self.read * self.slots :]
        segments = newest.reshape(-1, self.read, self.slots * self.shape.slot)
        held: Tensor = self.gru(self.embed(segments).relu())[1]
        return held[0]

    def _decode(self, held: Tensor, ahead: Tensor) -> Tensor:
        """held: [B, hidden]. ahead: [B, horizon, ahead]. → [B, numbers · horizon]."""
        inputs = self._asked(ahead).reshape(-1, 1, self.hidden)
        before = held[:, None].expand(-1, self.answered, -1).reshape(1, -1, self.hidden)
        after: Tensor = self.gru(inputs, before)[1]
        answers: Tensor = self.answer(self.dropout(after[0]))
        answers = answers.reshape(-1, self.answered, self.numbers, self.leads).transpose(1, 2)
        leads = answers.reshape(-1, self.numbers, self.answered * self.leads)
        return leads[..., : self.shape.horizon].flatten(1)

    def _asked(self, ahead: Tensor) -> Tensor:
        """What tells the segments ahead apart: [B, answered, hidden]."""
        if self.known is None:
            return self.place.expand(ahead.shape[0], -1, -1)
        segments = ahead[:, self.places].reshape(-1, self.answered, self.known.in_features)
        known: Tensor = self.known(segments)
        return self.place + known
