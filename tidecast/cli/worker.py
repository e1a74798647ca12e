"""`tidecast worker`."""

from __future__ import annotations

import typer

from tidecast.cli.options import SettingsFile, extra


def worker(settings: SettingsFile = None) -> None:
    """Run one worker: it reads observations, keeps their windows in Redis, publishes forecasts.

    Start more of them to share the partitions. SIGTERM or Ctrl-C stops it cleanly; exit code 70
    means that it met what it cannot handle and is to be started again.

    Example: tidecast worker --settings production.toml
    """
    from tidecast.settings import load_settings

    loaded = load_settings(settings)
    with extra("worker"):
        from stream.worker import run
    raise typer.Exit(run(loaded))
