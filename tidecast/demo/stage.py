"""What the demo runs on: both servers, the topics and a worker, started in order."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidecast.errors import LocalServerError
from tidecast.local import LocalServers, local_servers
from tidecast.local.child import Child
from tidecast.local.ports import HOST
from tidecast.settings import ENVIRONMENT_PREFIX, SETTINGS_FILE, Settings, load_settings
from tidecast.topic_admin import create_topics

STREAM: Final = "demo"
WORKER_START_S: Final = 30.0
WORKER_STOP_S: Final = 4.0
"""A clean stop takes well under a second; nobody waits longer for a demo."""
POLL_S: Final = 0.02
STARTED: Final = '"action": "start"'
"""Stands in the worker's log when it has reached every service and joins its group."""
LEAVES: Final = "leave"
"""The action of the worker's last line when it meets what it cannot handle."""
REFUSED: Final = "tidecast: "
"""Begins the line in which any command says why it does not start."""

Announce = Callable[[str, float, str], None]
"""Told each step when it is done: its name, its seconds, a detail."""


@dataclass(frozen=True)
class Stage:
    """All that runs, and the settings with which any Tidecast command reaches it."""

    servers: LocalServers
    worker: Child
    worker_log: Path
    settings: Settings
    settings_file: Path

    def check(self) -> None:
        """Raises LocalServerError when something has ended by itself."""
        for server in (self.servers.kafka, self.servers.valkey):
            if not server.running:
                raise LocalServerError(f"{server.name} ended by itself (log: {server.log})")
        if not self.worker.running:
            raise _worker_ended(self.worker, self.worker_log)


@contextmanager
def stage(folder: Path, model: Path, step_seconds: int, announce: Announce) -> Iterator[Stage]:
    """Start everything, its data and logs in `folder`; stop it with the block.

    Raises LocalServerError when something does not start.
    """
    with ExitStack() as stack:
        with _step(announce, "servers") as detail:
            servers = stack.enter_context(local_servers(folder))
            detail.append(f"Kafka {servers.bootstrap_servers}, Valkey {HOST}:{servers.valkey.port}")
        file = folder / SETTINGS_FILE
        file.write_text(_settings_text(servers, model, step_seconds), encoding="utf-8")
        settings = load_settings(file)
        with _step(announce, "topics") as detail:
            topics = create_topics(settings)
            detail.append(", ".join(topic.name for topic in topics))
        log = folder / "worker.log"
        with _step(announce, "worker") as detail:
            command = (sys.executable, "-m", "tidecast", "worker", "--settings", str(file))
            worker = Child(command, log, stop_limit_s=WORKER_STOP_S)
            stack.callback(worker.stop)
            await_start(worker, log)
            detail.append(f"process {worker.pid}")
        yield Stage(servers, worker, log, settings, file)


def forget_other_settings(environment: MutableMapping[str, str] = os.environ) -> None:
    """Drop the variables that point Tidecast at other servers: the demo brings its own."""
    for name in [name for name in environment if name.startswith(ENVIRONMENT_PREFIX)]:
        if "__" in name:
            del environment[name]


def _settings_text(servers: LocalServers, model: Path, step_seconds: int) -> str:
    """TOML; its strings are written as JSON writes them."""
    sections: dict[str, dict[str, str | int]] = {
        "kafka": {"bootstrap_servers": servers.bootstrap_servers},
        "redis": {"url": servers.redis_url},
        "stream": {"name": STREAM, "step_seconds": step_seconds},
        "worker": {"model": str(model.absolute())},
        "log": {"format": "json"},
    }
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        for section, keys in sections.items()
    )


@contextmanager
def _step(announce: Announce, name: str) -> Iterator[list[str]]:
    begun, detail = time.monotonic(), list[str]()
    yield detail
    announce(name, time.monotonic() - begun, " ".join(detail))


def await_start(worker: Child, log: Path) -> None:
    """Return when the worker has reached every service. Raises LocalServerError when it ends."""
    deadline = time.monotonic() + WORKER_START_S
    while STARTED not in log.read_text(encoding="utf-8", errors="replace"):
        if not worker.running:
            raise _worker_ended(worker, log)
        if time.monotonic() > deadline:
            limit = f"within {WORKER_START_S:g} s"
            raise LocalServerError(f"the worker did not start {limit} (log: {log})")
        time.sleep(POLL_S)


def _worker_ended(worker: Child, log: Path) -> LocalServerError:
    said = _last_error(log)
    status = f"the worker ended with status {worker.wait(0)}"
    return LocalServerError(f"{status}{': ' if said else ''}{said} (log: {log})")


def _last_error(log: Path) -> str:
    """Why a worker left, if its last line says so: a killed one says nothing."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    if lines[-1].startswith(REFUSED):
        return lines[-1].removeprefix(REFUSED)
    try:
        entry = json.loads(lines[-1])
    except ValueError:
        return ""
    return str(entry["error"]) if entry.get("action") == LEAVES else ""
