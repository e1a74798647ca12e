"""What the commands have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidecast.errors import SettingsError

if TYPE_CHECKING:
    from tidecast.settings import Settings

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="Settings file. Default: tidecast.toml where there is one."),
]


def client_settings(file: Path | None) -> Settings:
    """The settings of a client's command; what the Kafka libraries log would repeat our errors."""
    from tidecast.settings import load_settings

    for library in ("kafka", "aiokafka"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    return load_settings(file)


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Raise a clear SettingsError when an import in the block lacks an optional dependency."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"this command needs {error.name}: pip install 'tidecast[{name}]'"
        ) from error
