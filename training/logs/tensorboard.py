"""Runs as TensorBoard's event files: `tensorboard --logdir runs/tensorboard`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import final

from tidecast.errors import SettingsError

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError as error:
    raise SettingsError(
        "--log tensorboard needs another package: pip install 'tidecast[tensorboard]'"
    ) from error


@final
class TensorBoardLog:
    """See `RunLog`: a folder for each run."""

    def __init__(self, folder: Path) -> None:
        self._writer = SummaryWriter(str(folder))

    def settings(self, values: Mapping[str, str]) -> None:
        """A table of text."""
        rows = [f"| {path} | {value} |" for path, value in values.items()]
        self._writer.add_text("recipe", "\n".join(["| setting | value |", "|---|---|", *rows]))

    def scalar(self, name: str, value: float, step: int) -> None:
        """One point of a curve."""
        self._writer.add_scalar(name, value, step)

    def figure(self, name: str, value: float) -> None:
        """A curve of a single point."""
        self._writer.add_scalar(f"figures/{name}", value)

    def close(self) -> None:
        """Write the file to its end."""
        self._writer.close()
