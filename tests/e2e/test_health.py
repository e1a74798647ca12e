"""A worker process as an orchestrator sees it: what it answers, before and after events come."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.worker_process import running_worker
from tests.waiting import wait_until
from tidecast import Observation, Publisher
from tidecast.settings import Settings


def url_of(log: Path) -> str | None:
    """Where the worker says that it answers."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return next((line["url"] for line in lines if line["action"] == "health"), None)


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
        with Publisher(settings) as publisher:
            for hour in range(20):
                publisher.publish_observation(
                    Observation("a", hour * 3_600_000, {"value": float(hour)})
                )
        wait_until(lambda: committed(log) == 20, 30, "every event is committed")
        figures = [one for one in readyz(log)["partitions"].values() if one["cursor"]]
        assert [(one["series"], one["saved"], one["lag"]) for one in figures] == [(1, 20, 0)]
        assert worker.stop() == 0
    assert '"action": "stop"' in log.read_text()


def committed(log: Path) -> int:
    """Committed offsets of all partitions, summed."""
    partitions = readyz(log).get("partitions", {}).values()
    return sum(one["committed"] or 0 for one in partitions)
