"""The file that a bundle is tried on, read as the bundle says what it needs."""

from __future__ import annotations

from pathlib import Path

from tidecast.bundle import Manifest
from tidecast.errors import SettingsError
from training.data.columns import FileSource, Layout
from training.data.files import read_files
from training.data.table import Table


def read_history(path: Path, layout: Layout, manifest: Manifest) -> Table:
    """Read channels, what is known ahead and, where no channel is the target, its labels.

    layout: as `FileSource` has it; a single channel of a long file may have any name. Raises
    DataError when the file lacks a column, SettingsError when such a layout cannot hold one.
    """
    labelled = manifest.task != "forecast" and manifest.target not in manifest.channel_names
    unnamed = layout == "wide" or (layout == "long" and len(manifest.channels) == 1)
    # `column=name` is one name of a static attribute: no column of its own.
    ahead = [covariate.name for covariate in manifest.future]
    try:
        source = FileSource(
            path=str(path.absolute()),
            layout=layout,
            channels=() if unnamed else tuple(manifest.channel_names),
            label=manifest.target if labelled else None,
            known=tuple(name for name in ahead if "=" not in name),
            static=tuple(name for name in ahead if "=" in name),
            step_seconds=manifest.step_seconds,
        )
    except ValueError as error:
        raise SettingsError(f"{manifest.name} cannot be tried on {path}: {error}") from error
    classes = {name: number for number, name in enumerate(manifest.classes)}
    return read_files(source, Path(), classes).table
