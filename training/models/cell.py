"""What a recurrent cell must do to stream: run over a sequence, and run one step alike."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class Cell(nn.Module):
    """A stack of recurrent layers whose whole memory is one flat state."""

    output_size: int
    state_size: int

    @abstractmethod
    def sequence(self, inputs: Tensor) -> Tensor:
        """Run from a state of zeros. inputs: [B, T, inputs]. → [B, T, output_size]."""

    @abstractmethod
    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Run one step. inputs: [B, inputs]. state: [B, state_size]. → output, next state."""
