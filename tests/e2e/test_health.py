"""A worker process as an orchestrator sees it: what it answers, before and after events come."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.e2e.worker_process import running_worker
from tests.waiting import wait_until
from tidecast import Publisher
from tidecast.settings import Settings


def lines(log: Path, action: str) -> list[dict[str, Any]]:
    """The lines with this action."""
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if line["action"] == action]


def url_of(log: Path) -> str | None:
    """Where the worker that was started last says that it answers."""
    told = lines(log, "health")
    return str(told[-1]["url"]) if told else None


def readyz(log: Path) -> dict[str, Any]:
    """The body of /readyz, empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"{url_of(log)}/readyz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return dict(json.load(refusal))
    except (OSError, ValueError):
        return {}


def test_a_worker_becomes_ready_and_tells_how_far_it_is(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    names = {f"{settings.stream.name}.events/{number}" for number in range(3)}
    with running_worker(settings, log) as worker:
        wait_until(lambda: readyz(log).get("ready"), 60, "the worker is ready without an event")
        assert set(readyz(log)["partitions"]) == names
        publish(settings, range(20))
        wait_until(lambda: committed(log) == 20, 30, "every event is committed")
        figures = [one for one in readyz(log)["partitions"].values() if one["cursor"]]
        assert [(one["series"], one["saved"], one["lag"]) for one in figures] == [(1, 20, 0)]
        assert worker.stop() == 0
    assert len(lines(log, "stop")) == 1


def test_a_supervised_worker_comes_back_and_is_replaced(settings: Settings, tmp_path: Path) -> None:
    worker = settings.worker.model_copy(update={"instance": settings.stream.name})
    settings, log = settings.model_copy(update={"worker": worker}), tmp_path / "worker.log"
    with running_worker(settings, log, "--restart") as supervisor:
        wait_until(lambda: readyz(log).get("ready"), 60, "the worker is ready")
        os.kill(worker_of(log), signal.SIGKILL)
        wait_until(lambda: len(lines(log, "health")) == 2, 60, "the worker has come back")
        wait_until(lambda: readyz(log).get("ready"), 60, "it is ready again")
        supervisor.send(signal.SIGHUP)
        wait_until(lambda: len(lines(log, "replaced")) == 2, 60, "the successor has taken over")
        assert lines(log, "replaced")[0]["instance"] == settings.stream.name
        assert lines(log, "replaced")[1]["pid"] == worker_of(log)
        publish(settings, range(5))
        wait_until(lambda: committed(log) == 5, 60, "the successor works")
        assert supervisor.stop() == 0


def worker_of(log: Path) -> int:
    """Process id of the worker that was started last."""
    started = [line for line in lines(log, "start") + lines(log, "replace") if "pid" in line]
    return int(max(started, key=lambda line: line["timestamp"])["pid"])


def publish(settings: Settings, hours: Iterable[int]) -> None:
    with Publisher(settings) as publisher:
        for hour in hours:
            publisher.publish("a", float(hour), timestamp=hour * 3_600_000)


def committed(log: Path) -> int:
    """Committed offsets of all partitions, summed."""
    partitions = readyz(log).get("partitions", {}).values()
    return sum(one["committed"] or 0 for one in partitions)
