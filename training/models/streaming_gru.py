"""The gated recurrent unit, one step per slot (Cho et al., 2014; torch's formula)."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tidecast.bundle import Positive
from training.models.cell import Cell
from training.models.forecaster import ForecasterConfig


class StreamingGruConfig(
    ForecasterConfig, frozen=True, forbid_unknown_fields=True, tag="streaming-gru"
):
    """A GRU of `layers` layers of `hidden` units; the state has layers · hidden numbers."""

    hidden: Positive = 64
    layers: Positive = 1

    def cell(self, inputs: int) -> Cell:
        """Build the cell for `inputs` features a slot."""
        return GruCell(inputs, self.hidden, self.layers)


@final
class GruCell(Cell):
    """torch's fast GRU over sequences; the same weights by hand, two Gemm a layer, in a step."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.output_size = hidden
        self.state_size = layers * hidden
        self.hidden = hidden
        self.gru = nn.GRU(inputs, hidden, layers, batch_first=True)

    def sequence(self, inputs: Tensor) -> Tensor:
        """See `Cell.sequence`."""
        output: Tensor = self.gru(inputs)[0]
        return output

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """See `Cell.step`. State: each layer's output, first layer first."""
        after = []
        for layer, before in enumerate(torch.split(state, self.hidden, -1)):
            inputs = self._layer(layer, inputs, before)
            after.append(inputs)
        return inputs, torch.cat(after, -1)

    def _layer(self, layer: int, inputs: Tensor, before: Tensor) -> Tensor:
        """One layer's step. inputs: [B, inputs]. before: [B, hidden]. → [B, hidden]."""
        weights = self.gru.all_weights[layer]
        fresh = functional.linear(inputs, weights[0], weights[2])
        held = functional.linear(before, weights[1], weights[3])
        fresh_reset, fresh_keep, fresh_value = torch.split(fresh, self.hidden, -1)
        held_reset, held_keep, held_value = torch.split(held, self.hidden, -1)
        reset = torch.sigmoid(fresh_reset + held_reset)
        keep = torch.sigmoid(fresh_keep + held_keep)
        candidate = torch.tanh(fresh_value + reset * held_value)
        return candidate + keep * (before - candidate)
