"""Files of history for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data.columns import FileSource
from training.data.files import read_files
from training.data.table import Loaded, Table
from training.data.waves import Floats


def write(path: Path, text: str) -> Path:
    """Write a text file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def read(path: Path, source: FileSource | None = None, **classes: int) -> Loaded:
    """Read a file as its own recipe would."""
    return read_files(source or FileSource(path.name), path.parent, classes)


def table_of(values: object, *, step_seconds: int = 3600, labels: Floats | None = None) -> Table:
    """A table of values [series, slots] or [series, slots, channels] from 1970 on."""
    array = np.asarray(values, np.float32)
    array = array[..., None] if array.ndim == 2 else array
    names = tuple(f"series-{row}" for row in range(array.shape[0]))
    channels = tuple(f"channel-{number}" for number in range(array.shape[2]))
    return Table(names, array, channels, 0, step_seconds, labels)
