"""A recipe written again as TOML, into another folder."""

from __future__ import annotations

import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import tomli_w

from tidecast.errors import SettingsError
from training.tuning.space import Document

PATHS: Final = ("path", "goes_on", "actual", "settings")
"""Keys of `data` and of benchmarks that are relative to the recipe's folder."""


def write_recipe(path: Path, document: Document, folder: Path) -> None:
    """Write a recipe that stood in `folder`, so that it means the same where it stands now.

    Raises SettingsError when the disk refuses.
    """
    moved = deepcopy(document)
    for table in (moved["data"], *moved.get("benchmarks", ())):
        for key in PATHS:
            if key in table:
                table[key] = os.path.relpath(folder / table[key], path.parent)
    try:
        path.write_text(tomli_w.dumps(_known(moved)), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from error


def _known(value: Any) -> Any:  # noqa: ANN401 - whatever a recipe holds
    """TOML has no nothing: a key without a value is left to its default."""
    if isinstance(value, dict):
        return {key: _known(one) for key, one in value.items() if one is not None}
    return [_known(one) for one in value] if isinstance(value, list | tuple) else value
