"""`tidecast check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tidecast.cli.options import SettingsFile

if TYPE_CHECKING:
    from tidecast.cli.checkup import Verdict

COLOURS = {"OK": "green", "FAIL": "red", "SKIPPED": "yellow"}


def check(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a part.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Look at settings, Kafka, Redis, model and state; say what is wrong and what to do.

    The exit code is that of the worst: 0 when all is well.

    Example: tidecast check --settings production.toml
    """
    import msgspec

    from tidecast.cli.checkup import look_at_everything

    verdicts = look_at_everything(settings)
    if as_json:
        for verdict in verdicts:
            typer.echo(msgspec.json.encode(verdict))
    else:
        _show(verdicts)
    raise typer.Exit(max(verdict.exit_code for verdict in verdicts))


def _show(verdicts: Sequence[Verdict]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        for verdict in verdicts:
            typer.echo(f"{verdict.part}\t{verdict.outcome}\t{verdict.detail}")
        return
    table = Table("part", "verdict", "detail")
    for verdict in verdicts:
        outcome = Text(verdict.outcome, style=COLOURS[verdict.outcome])
        table.add_row(verdict.part, outcome, Text(verdict.detail))
    console.print(table)
