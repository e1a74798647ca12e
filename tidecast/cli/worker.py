"""`tidecast worker`."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from tidecast.cli.options import SettingsFile, extra


def worker(
    settings: SettingsFile = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start the worker again when it ends by a failure.")
    ] = False,
) -> None:
    """Run one worker: it reads observations, keeps their windows in Redis, publishes forecasts.

    Start more of them to share the partitions. SIGTERM or Ctrl-C stops it cleanly; exit code 70
    means that it met what it cannot handle and is to be started again. With --restart that is
    done here, and SIGHUP has a successor take over without a pause (set worker.instance).

    Example: tidecast worker --settings production.toml
    """
    from tidecast.settings import load_settings

    loaded = load_settings(settings)
    with extra("worker"):
        from stream.watch.supervisor import supervise
    if restart:
        command = [sys.executable, "-m", "tidecast", "worker"]
        if settings is not None:
            command += ["--settings", str(settings)]
        raise typer.Exit(supervise(command, loaded.log, loaded.worker.instance is not None))
    # Imports leave no garbage to speak of: looking for it takes some per cent of the start. The
    # worker turns it on again, see `calm_garbage_collection`.
    gc.disable()
    with extra("worker"):
        from stream.worker import run
    raise typer.Exit(run(loaded))
