"""`tidecast subscribe`."""

from __future__ import annotations

import gc
import sys
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from tidecast.cli.options import SettingsFile, client_settings

if TYPE_CHECKING:
    from tidecast.subscriber import Start, Subscriber


def subscribe(
    series: Annotated[
        list[str] | None, typer.Option(help="Only this series; may be given several times.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The messages themselves, one a line.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="All that Kafka keeps, not only what is new.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many forecasts.")] = None,
    settings: SettingsFile = None,
) -> None:
    """Show forecasts as they come, each once: origin, series, next step with its band, horizon.

    Of a classifier the likeliest class with its probability, and a bar for each class.

    Example: tidecast subscribe --series plant-7/load --series plant-8/load
    """
    loaded = client_settings(settings)
    from tidecast.subscriber import Subscriber

    # Every message makes objects: searches for garbage need not go through all that was imported.
    gc.freeze()
    start: Start = "earliest" if from_start else "latest"
    with Subscriber(loaded, series=series or (), start=start) as subscriber:
        if as_json:
            _write_json(subscriber, limit)
        else:
            _write_lines(subscriber, limit)


def _write_json(subscriber: Subscriber, limit: int | None) -> None:
    left = limit
    while left is None or left > 0:
        messages = subscriber.poll_json()[:left]
        if messages:
            sys.stdout.buffer.write(b"\n".join([*messages, b""]))
            sys.stdout.buffer.flush()
        if left is not None:
            left -= len(messages)


def _write_lines(subscriber: Subscriber, limit: int | None) -> None:
    from tidecast.forecast_text import one_line

    for forecast in islice(subscriber, limit):
        typer.echo(one_line(forecast))
