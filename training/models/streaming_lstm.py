"""Long short-term memory, one step per slot (Hochreiter & Schmidhuber, 1997; torch's formula)."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tidecast.bundle import Positive
from training.models.cell import Cell
from training.models.forecaster import ForecasterConfig


class StreamingLstmConfig(
    ForecasterConfig, frozen=True, forbid_unknown_fields=True, tag="streaming-lstm"
):
    """An LSTM of `layers` layers of `hidden` units; the state has 2 · layers · hidden numbers."""

    hidden: Positive = 64
    layers: Positive = 1

    def cell(self, inputs: int) -> Cell:
        """Build the cell for `inputs` features a slot."""
        return LstmCell(inputs, self.hidden, self.layers)


@final
class LstmCell(Cell):
    """torch's fast LSTM over sequences; the same weights by hand, two Gemm a layer, in a step."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.output_size = hidden
        self.state_size = 2 * layers * hidden
        self.hidden = hidden
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True)

    def sequence(self, inputs: Tensor) -> Tensor:
        """See `Cell.sequence`."""
        output: Tensor = self.lstm(inputs)[0]
        return output

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """See `Cell.step`. State: output and memory of the first layer, then of the next."""
        after = []
        for layer, before in enumerate(torch.split(state, 2 * self.hidden, -1)):
            inputs, memory = self._layer(layer, inputs, *torch.split(before, self.hidden, -1))
            after += [inputs, memory]
        return inputs, torch.cat(after, -1)

    def _layer(
        self, layer: int, inputs: Tensor, output: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One layer's step. inputs: [B, inputs]. output, memory: [B, hidden]. → the next two."""
        weights = self.lstm.all_weights[layer]
        sums = functional.linear(inputs, weights[0], weights[2])
        sums = sums + functional.linear(output, weights[1], weights[3])
        enter, forget, candidate, leave = torch.split(sums, self.hidden, -1)
        kept = torch.sigmoid(forget) * memory
        memory = kept + torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(memory), memory
