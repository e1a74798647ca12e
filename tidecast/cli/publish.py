"""`tidecast publish`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidecast.cli.options import SettingsFile, client_settings, extra

if TYPE_CHECKING:
    from tidecast.files import ObservationTable


class Format(StrEnum):
    """File formats."""

    CSV = "csv"
    PARQUET = "parquet"


class Layout(StrEnum):
    """File layouts."""

    WIDE = "wide"
    LONG = "long"


def publish(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="Found out when not given.")
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(help="wide: time, then a column a series; long: series_id, timestamp, value."),
    ] = None,
    assume_utc: Annotated[
        bool, typer.Option("--assume-utc", help="Times without a zone are UTC.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="Put before every series id.")] = "",
    channel: Annotated[str, typer.Option(help="Channel of a wide file's values.")] = "value",
    speed: Annotated[
        float | None,
        typer.Option(help="1: as recorded; 60: a minute a second. Default: as fast as it goes."),
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Publish a file of observations, in order of time. It is checked as a whole before.

    Example: tidecast publish load.csv --assume-utc --prefix plant-7/ --speed 60
    """
    loaded = client_settings(settings)
    with extra("files"):
        from tidecast.file_publisher import publish_file
        from tidecast.files import FileOptions
    options = FileOptions(
        form.value if form else None,
        layout.value if layout else None,
        assume_utc,
        prefix,
        channel,
    )
    with _progress_bar() as progress:
        done = publish_file(loaded, file, options, speed=speed, progress=progress)
    typer.echo(
        f"published {done.events:,} events of {done.series:,} series "
        f"in {done.seconds:.2f} s ({done.events_per_s:,.0f} events/s)"
    )


@contextmanager
def _progress_bar() -> Iterator[Callable[[ObservationTable], Callable[[int], None]]]:
    """A bar on standard error, when that is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:

        def begin(table: ObservationTable) -> Callable[[int], None]:
            task = bar.add_task("publish", total=table.events, rate=0.0)

            def advance(delivered: int) -> None:
                elapsed = bar.tasks[task].elapsed or 0.0
                rate = delivered / elapsed if elapsed else 0.0
                bar.update(task, completed=delivered, rate=rate)

            return advance

        yield begin
