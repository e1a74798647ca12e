"""Settings: frozen classes, one per outside system, from a TOML file and the environment.

An environment variable wins over the file: `TIDECAST_KAFKA__BOOTSTRAP_SERVERS` is
`bootstrap_servers` under `[kafka]`. An unknown name is an error in both places.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from tidecast.errors import SettingsError

ENVIRONMENT_PREFIX: Final = "TIDECAST_"
SETTINGS_FILE: Final = "tidecast.toml"

Rule = Literal["last", "mean", "sum"]
"""How the values of one slot combine."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Section):
    """How to reach Kafka. `username` switches SASL on."""

    bootstrap_servers: str = "localhost:9092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: str | None = None
    password: SecretStr | None = None
    ssl_cafile: Path | None = None


class RedisSettings(_Section):
    """How to reach Redis or Valkey; `cluster` for Redis Cluster. The URL may hold a password."""

    url: SecretStr = SecretStr("redis://localhost:6379/0")
    cluster: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 2.0


class StreamSettings(_Section):
    """One stream: its topics, its grid, its rules. Every worker of a group agrees on these."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,100}$")] = "tidecast"
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 4
    step_seconds: Annotated[int, Field(ge=1, le=366 * 86_400)] = 1
    aggregate: Rule | dict[str, Rule] = "last"
    """How values that fall into one slot combine: for all channels, or by channel (`last` for
    those not named)."""
    grace_slots: Annotated[int, Field(ge=0)] = 0
    """How many slots late an observation may be and still mend the window."""
    late: Literal["accept", "patch", "reject"] = "patch"
    """What becomes of it: it mends the window and is answered with a forecast, it only mends the
    window, or it is rejected after all."""
    emit: Literal["all", "latest"] = "all"
    """Which of the events that a worker takes at once are answered: all, or the last one of each
    series. They differ for a worker that is behind."""
    encoding: Literal["json", "avro"] = "json"
    """What the forecasts are written in; a topic may hold both."""
    remembered_ids: Annotated[int, Field(ge=0, le=64)] = 0
    """How many event ids of each series are remembered, so that repeats are rejected."""
    end_after_slots: Annotated[int, Field(ge=0)] = 0
    """How far a series may fall behind the newest of its partition before it has ended and is
    dropped; 0 for never."""
    max_series: Annotated[int, Field(ge=1)] = 1_000_000
    """How many series a partition may have."""
    new_series_per_s: Annotated[int, Field(ge=0)] = 0
    """How many series may begin on a partition within a second of Kafka's clock; 0 for any."""
    stale_after_slots: Annotated[int, Field(ge=0)] = 0
    """A series without an observation for so many whole slots is forecast by a timer; 0: never."""
    stale_for_slots: Annotated[int, Field(ge=1)] = 24
    """For how many slots the timer goes on."""
    ahead_s: Annotated[int, Field(ge=0)] = 300
    """How far an observation may be ahead of its record's Kafka timestamp."""
    epoch: Annotated[int, Field(ge=0)] = 0
    """Part of every forecast id; raise it when offsets begin anew, as in a topic made again."""

    @model_validator(mode="after")
    def _check_end(self) -> Self:
        shortest = max(self.grace_slots + 1, 2)
        if 0 < self.end_after_slots < shortest:
            raise ValueError(
                f"end_after_slots is {self.end_after_slots}: with grace_slots = "
                f"{self.grace_slots} it must be 0 or at least {shortest}"
            )
        return self


class WorkerSettings(_Section):
    """One worker process."""

    model: Path = Path("onnx_models/general-gru/1")
    group: str | None = None
    """Consumer group; the stream's name when not set."""
    instance: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,200}$")] | None = None
    """This worker's place in the group (Kafka's `group.instance.id`), its own for each of them.
    A worker that starts with it takes the place of the one before it, without a rebalance."""
    session_s: Annotated[float, Field(ge=1, le=300)] = 10.0
    """How long a worker may be silent before Kafka gives its partitions to others."""
    checkpoint_interval_s: Annotated[float, Field(ge=0, le=60)] = 0.2
    """Checkpoints of several batches go together. A crash repeats at most this much work."""
    batch_records: Annotated[int, Field(ge=1, le=100_000)] = 12_000
    """Most records handed on at once, of all partitions: latency under load against throughput."""
    rebuild_records: Annotated[int, Field(ge=0)] = 1_000_000
    """How many records of a partition are read again when Redis holds nothing of it."""
    outage_s: Annotated[float, Field(ge=0)] = 30.0
    """How long forecasts go on from memory while Redis does not answer."""
    stall_s: Annotated[float, Field(ge=10)] = 60.0
    """A worker that has lag and has not moved for this long leaves, to be started again."""
    memory_mb: Annotated[int, Field(ge=100)] | None = None
    """A worker whose resident memory is above this many MiB leaves, to be started again."""


class HealthSettings(_Section):
    """Where a worker answers `GET /livez` and `GET /readyz`, without a password."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """0: any free port; the log says which."""


class LogSettings(_Section):
    """Structured logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"
    """`auto`: text on a terminal, JSON elsewhere."""


class Settings(BaseSettings):
    """Everything a command may be told from outside."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    stream: StreamSettings = StreamSettings()
    worker: WorkerSettings = WorkerSettings()
    health: HealthSettings = HealthSettings()
    log: LogSettings = LogSettings()

    def as_environment(self) -> dict[str, str]:
        """The variables that give a child process these settings: what is not at its default.

        Secrets are in clear: hand them to a child process, never to a log.
        """
        variables = {}
        for section, fields in self:
            for key, value in fields:
                text = _as_text(value)
                if value != type(fields).model_fields[key].default:
                    variables[f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()] = text
        return variables

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what `load_settings` read from the file."""
        return env_settings, init_settings


def load_settings(file: Path | None = None) -> Settings:
    """Settings of `file` (default: `tidecast.toml` where there is one) under the environment.

    Raises SettingsError for a file that cannot be read, an unknown name or a bad value.
    """
    values = _read_file(file)
    _check_sections(os.environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_first_problem(error)) from error
    except PydanticSettingsError as error:
        raise SettingsError(str(error)) from error


def _as_text(value: object) -> str:
    """A setting as the environment holds it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _read_file(file: Path | None) -> dict[str, Any]:
    path = file or Path(SETTINGS_FILE)
    if file is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read settings from {path}: {error}") from error


def _check_sections(environment: Mapping[str, str]) -> None:
    """Refuse `TIDECAST_KAFAK__…`, which the settings library would pass over in silence."""
    for name in environment:
        section = name.removeprefix(ENVIRONMENT_PREFIX).partition("__")[0].lower()
        if name.startswith(ENVIRONMENT_PREFIX) and "__" in name and section not in _SECTIONS:
            raise SettingsError(f"unknown section in {name}; known: {', '.join(_SECTIONS)}")


def _first_problem(error: ValidationError) -> str:
    """One line for one problem: where, what, and what is known there. Never shows a value."""
    problem = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"setting {where}: {problem['msg'].lower()}"
    section, _, name = where.rpartition(".")
    known = _SECTIONS[section].model_fields if section else _SECTIONS
    where = f"under [{section}]" if section else "at the top"
    return f"unknown setting {name!r} {where}; known: {', '.join(known)}"


_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    name: type(field.default) for name, field in Settings.model_fields.items()
}
