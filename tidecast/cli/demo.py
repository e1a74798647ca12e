"""`tidecast demo`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from tidecast.cli.options import extra

EXIT_LOST: Final = 1
EXIT_INTERRUPTED: Final = 130
"""As a shell shows a command that Ctrl-C ended."""


def demo(
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Replay this CSV or Parquet instead; times in UTC."
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(help="How many times as fast as recorded. Default: one step a second."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Stop by itself after so long.")
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="No view: one JSON object at the end.")
    ] = False,
    model: Annotated[Path, typer.Option(help="Folder of the model bundle.")] = Path(
        "onnx_models/general-gru/1"
    ),
    picture: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Save the last view as SVG.")
    ] = None,
) -> None:
    """Watch this machine being forecast: real Kafka and Valkey, one worker, a live view.

    Nothing outside is touched: the servers run on free ports and go with the demo. Exit code 1
    when an observation was left without a forecast.

    Examples: tidecast demo --file load.csv --speed 3600, and without a view,
    tidecast demo --headless --seconds 20
    """
    if speed is not None and file is None:
        raise typer.BadParameter("--speed goes with --file: metrics come once a second")
    with extra("demo"):
        from tidecast.demo.run import Options, run
        from tidecast.demo.show import in_words
        from tidecast.demo.stage import forget_other_settings

    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)  # its failures are our own one line
    forget_other_settings()
    try:
        totals = run(Options(model, file, speed, seconds, headless, picture))
    except KeyboardInterrupt as interrupt:
        typer.echo("stopped before the first forecast", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from interrupt
    typer.echo(msgspec.json.encode(totals).decode() if headless else in_words(totals))
    raise typer.Exit(EXIT_LOST if totals.lost else 0)
