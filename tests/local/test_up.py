"""`tidecast local up` as a person runs it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tidecast.local.ports import is_free

UP = [sys.executable, "-c", "from tidecast.cli.local import app; app()", "up"]


@pytest.mark.servers
@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_the_settings_and_stops_on_a_signal(
    tmp_path: Path, stop_signal: signal.Signals
) -> None:
    with subprocess.Popen(
        [*UP, "--folder", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        kafka = setting("TIDECAST_KAFKA__BOOTSTRAP_SERVERS", command.stdout.readline())
        redis_url = setting("TIDECAST_REDIS__URL", command.stdout.readline())
        with Redis.from_url(redis_url) as redis:
            assert redis.ping()
            command.send_signal(stop_signal)
            _, said = command.communicate(timeout=20)
            with pytest.raises(RedisConnectionError):
                redis.ping()
    assert command.returncode == 0, said
    assert "have stopped" in said
    assert is_free(int(kafka.rpartition(":")[2]))
    assert (tmp_path / "kafka" / "kafka.log").exists()


def setting(name: str, line: str) -> str:
    match = re.fullmatch(rf"export {name}=(\S+)\n", line)
    assert match is not None, line
    return match[1]
