"""`tidecast schemas`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def schemas(
    avro: Annotated[
        bool, typer.Option("--avro", help="The Avro schema of a forecast instead.")
    ] = False,
) -> None:
    """Print the JSON Schemas of the messages, for clients in other languages.

    Example: tidecast schemas > tidecast-schemas.json
    """
    if avro:
        from tidecast.forecast_avro import forecast_schema

        typer.echo(forecast_schema(), nl=False)
        return
    from tidecast.messages import json_schemas

    typer.echo(json.dumps(json_schemas(), indent=2))
