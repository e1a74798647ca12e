"""The demo as a person runs it: real servers, a real worker, and nothing left behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "onnx_models/general-gru/1"
DEMO = [sys.executable, "-m", "tidecast", "demo", "--model", str(MODEL)]
START_S = 120
STOP_S = 30

pytestmark = pytest.mark.servers


@contextmanager
def running(folder: Path, *options: str, stdout: int = subprocess.PIPE) -> Iterator[Demo]:
    """The demo, its temporary files in `folder`, its errors in a file there."""
    environment = {**os.environ, "TMPDIR": str(folder), "TIDECAST_KAFKA__USERNAME": "not for us"}
    errors = folder / "errors"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [*DEMO, *options], stdout=stdout, stderr=stderr, env=environment, cwd=folder
        )
    demo = Demo(process, errors)
    try:
        yield demo
    finally:
        process.kill()
        process.communicate()


class Demo:
    """A demo under way."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self._errors = errors
        self.children: list[psutil.Process] = []

    @property
    def said(self) -> str:
        return self._errors.read_text()

    def await_forecast(self) -> None:
        wait_until(lambda: "first forecast" in self.said, START_S, f"a forecast: {self.said}")
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def result(self, limit_s: float) -> tuple[int, str]:
        """Exit status and standard output."""
        output, _ = self.process.communicate(timeout=limit_s)
        return self.process.returncode, (output or b"").decode()

    def all_gone(self) -> bool:
        return not any(child.is_running() for child in self.children)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("tidecast-*")]


def test_headless_every_observation_has_its_forecast(tmp_path: Path) -> None:
    with running(tmp_path, "--headless", "--seconds", "6") as demo:
        demo.await_forecast()
        assert len(demo.children) >= 6  # Kafka, Valkey and the worker, each with its guard
        status, output = demo.result(60)
        assert status == 0, demo.said
        totals = json.loads(output)
        assert totals["events_published"] >= 25
        assert totals["forecasts_received"] == totals["events_published"]
        assert (totals["rejected"], totals["lost"], totals["duplicates"]) == (0, 0, 0)
        assert 0 < totals["latency_ms"]["p50"] <= totals["latency_ms"]["p99"]
        assert all(step in demo.said for step in ("servers", "topics", "worker"))
        assert demo.all_gone()
    assert leftovers(tmp_path) == []


def test_a_file_is_replayed_to_its_end(tmp_path: Path) -> None:
    rows = [f"2026-11-20T{n // 60:02}:{n % 60:02}:00Z,{n % 7},{n % 5}" for n in range(200)]
    file = tmp_path / "load.csv"
    file.write_text("\n".join(["timestamp,a,b", *rows]))
    with running(tmp_path, "--headless", "--file", str(file), "--speed", "6000") as demo:
        status, output = demo.result(START_S + 60)
        assert status == 0, demo.said
        totals = json.loads(output)
        assert totals["events_published"] == totals["forecasts_received"] == 400


def test_the_view_stops_on_ctrl_c_and_gives_the_terminal_back(tmp_path: Path) -> None:
    terminal, side = pty.openpty()
    with running(tmp_path, stdout=side) as demo:
        demo.await_forecast()
        os.close(side)
        wait_until(lambda: b"\x1b[?1049h" in os.read(terminal, 65536), 10, "the view is shown")
        begun = time.monotonic()
        demo.process.send_signal(signal.SIGINT)
        shown = until_closed(terminal)
        status, _ = demo.result(STOP_S)
        assert status == 0, demo.said
        assert time.monotonic() - begun < STOP_S / 2
        assert b"\x1b[?1049l" in shown
        assert b"0 lost" in shown
        assert "Traceback" not in demo.said
        assert demo.all_gone()
    assert leftovers(tmp_path) == []


def until_closed(terminal: int) -> bytes:
    """All that is written until the other side is closed, which Linux reports as an error."""
    shown = b""
    try:
        while more := os.read(terminal, 65536):
            shown += more
    except OSError:
        pass
    return shown


def test_a_worker_that_dies_ends_the_demo_in_one_line_and_keeps_its_log(tmp_path: Path) -> None:
    with running(tmp_path, "--headless") as demo:
        demo.await_forecast()
        [worker] = [child for child in demo.children if child.cmdline()[1:4:2] == ["-m", "worker"]]
        worker.kill()
        status, output = demo.result(STOP_S)
        assert (status, output) == (69, "")
        last = demo.said.splitlines()[-1]
        assert "the worker ended with status 137" in last
        assert Path(last.partition("(log: ")[2].rstrip(")")).exists()
        assert "Traceback" not in demo.said
        assert demo.all_gone()


def test_stopped_while_it_starts_it_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--headless") as demo:
        wait_until(lambda: leftovers(tmp_path), START_S, "the start has begun")
        demo.process.send_signal(signal.SIGTERM)
        status, output = demo.result(STOP_S)
        assert (status, output) == (130, "")
        assert demo.said.endswith("stopped before the first forecast\n")
    assert leftovers(tmp_path) == []


def test_an_unfit_file_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    file.write_text("timestamp,a\n2026-11-20T10:00:00Z,much\n")
    with running(tmp_path, "--headless", "--file", str(file)) as demo:
        status, _ = demo.result(START_S)
        assert status == 65
        assert "row 1, column 'a'" in demo.said
        assert "servers" not in demo.said
