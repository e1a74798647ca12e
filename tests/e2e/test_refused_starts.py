"""A worker that cannot start says so in one line, with what to do, and its documented exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tidecast.settings import Settings

BUNDLE: Final = Path(__file__).parents[2] / "onnx_models" / "general-gru" / "1"
LIMIT_S: Final = 40.0


def refused_start(settings: Settings, **changes: str) -> tuple[int, str]:
    """Exit code and standard error of `tidecast worker` under the settings with some changed."""
    environment: Mapping[str, str] = {**os.environ, **settings.as_environment(), **changes}
    done = subprocess.run(
        [sys.executable, "-m", "tidecast", "worker"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("variable", "value", "code", "words"),
    [
        ("TIDECAST_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1", 69, "127.0.0.1:1"),
        ("TIDECAST_REDIS__URL", "redis://127.0.0.1:1", 69, "redis.url"),
        ("TIDECAST_REDIS__URL", "nonsense", 69, "redis.url"),
        ("TIDECAST_STREAM__NAME", "no-such-stream", 78, "tidecast topics create"),
        ("TIDECAST_WORKER__MODEL", "no/such/bundle", 65, "onnx_models/general-gru/1"),
        ("TIDECAST_WORKER__BATCH", "1", 78, "batch_records"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    settings: Settings, variable: str, value: str, code: int, words: str
) -> None:
    found, message = refused_start(settings, **{variable: value})
    assert (found, message.count("\n")) == (code, 0), message
    assert words in message


def test_a_tampered_bundle_is_not_loaded(settings: Settings, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(BUNDLE, tmp_path / "general-gru" / "1"))
    graph = bytearray((copy / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (copy / "model.onnx").write_bytes(graph)
    found, message = refused_start(settings, TIDECAST_WORKER__MODEL=str(copy))
    assert (found, message.count("\n")) == (65, 0), message
    assert "not the graph its manifest was written for" in message


def test_a_manifest_that_declares_another_shape_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(BUNDLE, tmp_path / "general-gru" / "1"))
    manifest = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(manifest.replace('"horizon": 24', '"horizon": 23'))
    found, message = refused_start(settings, TIDECAST_WORKER__MODEL=str(copy))
    assert (found, message.count("\n")) == (65, 0), message
    assert "forecast has shape" in message
