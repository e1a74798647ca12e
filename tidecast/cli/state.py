"""`tidecast state`: what is stored of a stream, and the ways out when a worker stops over it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from tidecast.cli.options import SettingsFile, client_settings, extra
from tidecast.errors import SettingsError

if TYPE_CHECKING:
    from stream.admin.changes import Change
    from stream.admin.state import StateAdmin

Answer = TypeVar("Answer")
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

GRACE_S: Final = 2.0
"""How much longer than its session a member that was killed may stay listed."""

app = typer.Typer(no_args_is_help=True)


@app.callback()
def state() -> None:
    """What Redis holds of a stream: look at it, and resolve what stops a worker.

    Example: tidecast state inspect
    """


@app.command()
def inspect(
    partition: Annotated[int | None, typer.Option(min=0, help="Only this partition.")] = None,
    series: Annotated[str | None, typer.Option(help="One series instead of partitions.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Show each partition's owner, cursor, lag, rows, and whether a worker could go on.

    Reads only, so it is safe beside running workers.

    Example: tidecast state inspect --series plant-7/load
    """
    with extra("worker"):
        from stream.admin.report import report_partitions, report_series
    from tidecast.cli import state_tables

    if series is not None:
        report = _with_state(settings, lambda admin: report_series(admin, series))
        _print_json([report]) if as_json else state_tables.show_series(report)
    else:
        reports = _with_state(settings, lambda admin: report_partitions(admin, partition))
        _print_json(reports) if as_json else state_tables.show_partitions(reports)


@app.command()
def rebuild(
    partition: Annotated[
        list[int] | None, typer.Option(min=0, help="Only this one; may be given several times.")
    ] = None,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on without events that retention has passed.")
    ] = False,
    yes: Yes = False,
    settings: SettingsFile = None,
) -> None:
    """Drop the rows of partitions: the next worker makes them from the log, and goes on.

    For a log that was truncated, created anew or given more partitions. Stop the workers before.

    Example: tidecast state rebuild --partition 3 --accept-loss
    """
    numbers = partition or ()

    async def plan(admin: StateAdmin) -> Sequence[Change]:
        return await admin.rebuild(numbers, accept_loss=accept_loss)

    _change(settings, plan, yes=yes)


@app.command("move-epoch")
def move_epoch(yes: Yes = False, settings: SettingsFile = None) -> None:
    """Go on with what is stored under another stream.epoch, or in a group that Kafka counts anew.

    Rows and cursors stay. Stop the workers before.

    Example: tidecast state move-epoch --yes
    """

    async def plan(admin: StateAdmin) -> Sequence[Change]:
        return await admin.move_epoch()

    _change(settings, plan, yes=yes)


@app.command("drop-series")
def drop_series(
    series: Annotated[list[str] | None, typer.Argument(help="Ids of series.")] = None,
    from_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file with an id a line.")
    ] = None,
    yes: Yes = False,
    settings: SettingsFile = None,
) -> None:
    """Forget series: the next observation of each begins it afresh. Stop the workers before.

    Example: tidecast state drop-series plant-7/load plant-8/load
    """
    ids = list(series or ()) + _lines_of(from_file)
    if not ids:
        raise typer.BadParameter("name a series, or a file of them with --from-file")

    async def plan(admin: StateAdmin) -> Sequence[Change]:
        changes, missing = await admin.drop_series(ids)
        for series_id in missing:
            typer.echo(f"not stored: {series_id}", err=True)
        return changes

    _change(settings, plan, yes=yes)


def _with_state(file: Path | None, ask: Callable[[StateAdmin], Awaitable[Answer]]) -> Answer:
    loaded = client_settings(file)
    with extra("worker"):
        from stream.admin.session import opened

    async def session() -> Answer:
        async with opened(loaded) as admin:
            return await ask(admin)

    return asyncio.run(session())


def _change(
    file: Path | None, plan: Callable[[StateAdmin], Awaitable[Sequence[Change]]], *, yes: bool
) -> None:
    """Plan, show, ask, do."""
    session_s = client_settings(file).worker.session_s
    if not (yes or sys.stdin.isatty()):
        raise typer.BadParameter("nobody is here to be asked: add --yes")

    async def change(admin: StateAdmin) -> None:
        if await admin.services.group.members():
            typer.echo("waiting for the workers to leave the group", err=True)
        await admin.wait_until_idle(session_s + GRACE_S)
        changes = await plan(admin)
        for one in changes:
            typer.echo(one.says)
        if not changes:
            typer.echo("nothing to do")
        elif yes or typer.confirm("Do this?", abort=True):
            await admin.apply(changes)
            typer.echo("done; start the workers")

    _with_state(file, change)


def _print_json(reports: Sequence[object]) -> None:
    import msgspec

    for report in reports:
        typer.echo(msgspec.json.encode(report))


def _lines_of(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read series ids from {file}: {error}") from error
    return [line for line in text.splitlines() if line]
