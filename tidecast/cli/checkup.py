"""Looking at all that a stream needs: settings, Kafka, topics, Redis, model, stored state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tidecast.bundle import read_bundle
from tidecast.cli.options import client_settings
from tidecast.errors import RedisError, StateError, TidecastError
from tidecast.settings import SETTINGS_FILE, RedisSettings, Settings

if TYPE_CHECKING:
    from stream.admin.report import PartitionReport

REDIS_STEP: Final = "start Redis or Valkey, or set redis.url"


class Outcome(StrEnum):
    """How one look went."""

    OK = "OK"
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"
    """Could not be looked at; says nothing about whether it works."""


class Verdict(msgspec.Struct, frozen=True):
    """One line of `tidecast check`. exit_code: that of the error which was met."""

    part: str
    outcome: Outcome
    detail: str
    exit_code: int = 0


def look_at_everything(file: Path | None) -> list[Verdict]:
    """A verdict for each part; nothing is raised for what is merely broken."""
    try:
        settings = client_settings(file)
    except TidecastError as error:
        return [_failed("settings", error)]
    found = file or (Path(SETTINGS_FILE) if Path(SETTINGS_FILE).exists() else None)
    source = f"from {found} and the environment" if found else "from the environment and defaults"
    looks: list[tuple[str, Callable[[Settings], str]]] = [
        ("kafka", _look_at_kafka),
        ("redis", lambda settings: _look_at_redis(settings.redis)),
        ("model", _look_at_model),
    ]
    verdicts = [Verdict("settings", Outcome.OK, f"stream {settings.stream.name}, {source}")]
    verdicts += [_verdict(part, look, settings) for part, look in looks]
    if all(verdict.outcome is Outcome.OK for verdict in verdicts):
        return [*verdicts, _verdict("state", _look_at_state, settings)]
    return [*verdicts, Verdict("state", Outcome.SKIPPED, "looked at once all else is well")]


def _verdict(part: str, look: Callable[[Settings], str], settings: Settings) -> Verdict:
    try:
        return Verdict(part, Outcome.OK, look(settings))
    except TidecastError as error:
        return _failed(part, error)
    except ModuleNotFoundError as error:
        detail = f"only a worker needs {error.name}: pip install 'tidecast[worker]'"
        return Verdict(part, Outcome.SKIPPED, detail)


def _failed(part: str, error: TidecastError) -> Verdict:
    return Verdict(part, Outcome.FAIL, str(error), error.exit_code)


def _look_at_kafka(settings: Settings) -> str:
    from tidecast.topic_admin import require_topics

    require_topics(settings)
    where = settings.kafka.bootstrap_servers
    return f"{where}, topics {settings.stream.name}.* with {settings.stream.partitions} partitions"


def _look_at_redis(settings: RedisSettings) -> str:
    import redis

    kind: Any = redis.RedisCluster if settings.cluster else redis.Redis
    try:
        with kind.from_url(
            settings.url.get_secret_value(),
            socket_timeout=settings.timeout_s,
            socket_connect_timeout=settings.timeout_s,
        ) as client:
            server = client.info("server")
            policy = client.info("memory")["maxmemory_policy"]
    except (redis.RedisError, OSError, ValueError) as error:
        raise RedisError(f"Redis does not answer: {error}; {REDIS_STEP}") from error
    if policy != "noeviction":
        raise RedisError(f"Redis may drop windows: set maxmemory-policy noeviction, not {policy}")
    return f"{server.get('server_name', 'redis')} {server['redis_version']}, {policy}"


def _look_at_state(settings: Settings) -> str:
    from stream.admin.report import report_partitions
    from stream.admin.session import opened

    async def look() -> list[PartitionReport]:
        async with opened(settings) as admin:
            return await report_partitions(admin)

    reports = asyncio.run(look())
    for report in reports:
        if report.command:
            raise StateError(
                f"partition {report.partition}: {report.verdict}, {report.detail}; {report.command}"
            )
    rows, lag = sum(report.rows for report in reports), sum(report.lag for report in reports)
    return f"{rows:,} series, {lag:,} events wait for an answer"


def _look_at_model(settings: Settings) -> str:
    bundle = read_bundle(settings.worker.model)
    from stream.onnx_predictor import OnnxPredictor

    OnnxPredictor(bundle)
    manifest = bundle.manifest
    return (
        f"{manifest.name} {manifest.version}: context {manifest.context}, "
        f"horizon {manifest.horizon}, channels {', '.join(c.name for c in manifest.channels)}"
    )
