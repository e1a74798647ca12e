"""The edge to the Kafka libraries: our settings as their arguments, their errors as ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.errors import (
    AuthorizationError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
)
from kafka.errors import KafkaError as ForeignError

from tidecast.errors import KafkaError, SettingsError
from tidecast.settings import KafkaSettings

CONNECT_S: Final = 6.0
"""How long a first answer of Kafka is waited for: a command is to fail within ten seconds."""
RECONNECT_MS: Final = 1000
"""Longest pause between two attempts to reconnect; the library's 30 s outlast most outages."""


def kafka_python_options(settings: KafkaSettings) -> dict[str, Any]:
    """Arguments that any kafka-python client takes."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "security_protocol": settings.security_protocol,
        "bootstrap_timeout_ms": int(CONNECT_S * 1000),
        "reconnect_backoff_max_ms": RECONNECT_MS,
    }
    if settings.ssl_cafile is not None:
        options["ssl_cafile"] = str(settings.ssl_cafile)
    return options | _sasl_options(settings)


def aiokafka_options(settings: KafkaSettings) -> dict[str, Any]:
    """Arguments that any aiokafka client takes. Raises SettingsError for an unfit CA file."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    return options | _sasl_options(settings)


def _sasl_options(settings: KafkaSettings) -> dict[str, Any]:
    if settings.username is None:
        return {}
    password = settings.password.get_secret_value() if settings.password else ""
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.username,
        "sasl_plain_password": password,
    }


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ssl_cafile)
    except OSError as error:
        raise SettingsError(f"setting kafka.ssl_cafile: {settings.ssl_cafile}: {error}") from error


@contextmanager
def kafka_errors(settings: KafkaSettings, doing: str) -> Iterator[None]:
    """Turn what kafka-python raises in the block into a KafkaError that says what to do.

    doing: what was attempted, to follow "cannot", for example "read tidecast.forecasts".
    """
    try:
        yield
    except ForeignError as error:
        raise KafkaError(_explain(error, settings, doing)) from error
    except (OSError, ValueError) as error:  # a CA file or an address the library cannot use
        where = f"{settings.bootstrap_servers} ({settings.security_protocol})"
        raise KafkaError(f"cannot {doing} at {where}: {error}; see [kafka]") from error


def _explain(error: ForeignError, settings: KafkaSettings, doing: str) -> str:
    where = settings.bootstrap_servers
    match error:
        case SaslAuthenticationFailedError() | AuthorizationError():
            advice = "check kafka.username, kafka.password and the user's rights"
        case MessageSizeTooLargeError():
            advice = "the message is larger than the topic allows"
        case UnknownTopicOrPartitionError():
            advice = "`tidecast topics create` makes the topics"
        case KafkaTimeoutError():
            advice = "is it running, and are kafka.bootstrap_servers and security_protocol right?"
        case _:
            advice = "`tidecast check` looks closer"
    return f"cannot {doing} at {where}: {error}; {advice}"


def drive_by_caller(consumer: KafkaConsumer) -> None:
    """Let a consumer without a group send and receive in the thread that polls it.

    kafka-python has a thread for that, which a group's heartbeats need. Without one it wakes, and
    takes Python's lock, twice for each poll; a reader that is alone reads 1.4 times as much.
    """
    # What kafka-python does for the lack of such a thread is documented at `NetworkSelector.run`.
    consumer._net.stop()


def missing_topic(topic: str) -> SettingsError:
    """The error for a topic that nobody has created yet."""
    return SettingsError(f"there is no topic {topic}; `tidecast topics create` makes the topics")


def partitions_found(topic: str, found: Iterable[int] | None) -> list[int]:
    """The partitions of a topic in order. Raises SettingsError when there is no such topic."""
    if not found:
        raise missing_topic(topic)
    return sorted(found)
