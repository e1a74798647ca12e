"""`tidecast schemas`."""

from __future__ import annotations

import json

import typer


def schemas() -> None:
    """Print the JSON Schemas of the messages, for clients in other languages.

    Example: tidecast schemas > tidecast-schemas.json
    """
    from tidecast.messages import json_schemas

    typer.echo(json.dumps(json_schemas(), indent=2))
