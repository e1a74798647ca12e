"""`tidecast topics`: the topics of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from tidecast.cli.options import SettingsFile, client_settings
from tidecast.errors import SettingsError

if TYPE_CHECKING:
    from tidecast.topic_admin import TopicCheck

app = typer.Typer(no_args_is_help=True)


@app.callback()
def topics() -> None:
    """The topics of a stream: make, list, check.

    Example: tidecast topics create
    """


@app.command()
def create(
    replication_factor: Annotated[
        int, typer.Option(min=-1, help="Copies of each partition; -1: the broker's default.")
    ] = -1,
    settings: SettingsFile = None,
) -> None:
    """Make the topics that are missing; check, and never change, those that are there.

    Example: tidecast topics create --replication-factor 3
    """
    from tidecast.topic_admin import create_topics

    _show(create_topics(client_settings(settings), replication_factor))


@app.command()
def check(settings: SettingsFile = None) -> None:
    """Check that the topics fit the settings; exit code 78 when they do not.

    Example: tidecast topics check
    """
    from tidecast.topic_admin import check_topics

    _show(check_topics(client_settings(settings)))


@app.command("list")
def list_topics(settings: SettingsFile = None) -> None:
    """List the topics of the stream with their partitions.

    Example: tidecast topics list
    """
    from tidecast.topic_admin import check_topics

    for topic in check_topics(client_settings(settings)):
        typer.echo(f"{topic.name}\t{topic.partitions or 'missing'}")


def _show(topics: Iterable[TopicCheck]) -> None:
    """A line a topic, warnings on standard error. Raises SettingsError for the first error."""
    found = list(topics)
    for topic in found:
        word = "created" if topic.created else "wrong" if topic.errors else "ok"
        detail = "; ".join(topic.errors) or f"{topic.partitions} partitions"
        typer.echo(f"{topic.name}\t{word}\t{detail}")
        for warning in topic.warnings:
            typer.echo(f"warning: {warning}", err=True)
    for topic in found:
        for error in topic.errors:
            raise SettingsError(error)
