"""`tidecast local`: a real Kafka and Redis-compatible server on this machine, for trying out."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

from tidecast.errors import LocalServerError
from tidecast.local import LocalServers, local_servers

LOOK_S: Final = 0.5
"""How often to see whether both servers still run."""

app = typer.Typer(no_args_is_help=True)


@app.callback()
def local() -> None:
    """A real Kafka and Valkey on this machine, without Docker, Java or root."""


@app.command()
def up(
    folder: Annotated[
        Path | None,
        typer.Option(help="Keep data and logs here. Without it they go when the servers stop."),
    ] = None,
    kafka_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Any free port when not given.")
    ] = None,
    redis_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Any free port when not given.")
    ] = None,
) -> None:
    """Start Kafka and Valkey, print how to reach them, and run until Ctrl-C.

    Example: tidecast local up --folder ./servers --kafka-port 9092 --redis-port 6379
    """
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        with local_servers(folder, kafka_port=kafka_port, redis_port=redis_port) as servers:
            typer.echo(f"export TIDECAST_KAFKA__BOOTSTRAP_SERVERS={servers.bootstrap_servers}")
            typer.echo(f"export TIDECAST_REDIS__URL={servers.redis_url}")
            typer.echo("Kafka and Valkey are running. Ctrl-C stops them.", err=True)
            _stay(servers)
    except KeyboardInterrupt:
        typer.echo("Kafka and Valkey have stopped.", err=True)


def _stay(servers: LocalServers) -> None:
    """Return never: leave with Ctrl-C, or with an error when a server ends by itself."""
    while True:
        time.sleep(LOOK_S)
        for server in (servers.kafka, servers.valkey):
            if not server.running:
                raise LocalServerError(f"{server.name} ended by itself (log: {server.log})")


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
