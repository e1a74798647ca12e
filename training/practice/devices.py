"""Which device a fit runs on."""

from __future__ import annotations

from typing import Literal

import torch

from tidecast.errors import SettingsError

Device = Literal["auto", "cuda", "mps", "cpu"]


def choose_device(wanted: Device = "auto") -> torch.device:
    """Return the wanted device; `auto` is a CUDA GPU, else Apple's, else the processor.

    Raises SettingsError when the wanted device is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, is_there in there.items() if is_there))
    if not there[wanted]:
        raise SettingsError(
            f"device {wanted!r} is not there; have {[name for name in there if there[name]]}, or "
            "let 'auto' choose"
        )
    return torch.device(wanted)
