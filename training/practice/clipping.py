"""Gradient clipping: one strange batch must not undo a hundred good ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta
from torch import nn

Bound = Annotated[float, Meta(gt=0.0)]


class ClippingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`norm`: the largest norm of the whole gradient (Pascanu et al., 2013); None bounds nothing.

    `value`: the largest magnitude of a single number in it.
    """

    norm: Bound | None = 1.0
    value: Bound | None = None

    def clip(self, parameters: Iterable[nn.Parameter]) -> float:
        """Bound the gradients in place, and return their norm as it was before."""
        parts = list(parameters)
        norm = nn.utils.get_total_norm([part.grad for part in parts if part.grad is not None])
        if self.value is not None:
            nn.utils.clip_grad_value_(parts, self.value)
        if self.norm is not None:
            nn.utils.clip_grad_norm_(parts, self.norm)
        return float(norm)
