"""The class path is worked out once, and again only when a jar is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidecast.errors import LocalServerError
from tidecast.local.jars import ARTEFACTS, KAFKA_VERSION, kafka_jars

RECORD = f"kafka-{KAFKA_VERSION}.json"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing fetched yet, and nobody answers."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path / "jgo"))


@pytest.mark.usefixtures("offline")
def test_recorded_jars_need_no_network(tmp_path: Path) -> None:
    jar = tmp_path / "kafka.jar"
    jar.touch()
    record = json.dumps({"artefacts": ARTEFACTS, "jars": [str(jar)]})
    (tmp_path / RECORD).write_text(record)
    assert kafka_jars(tmp_path) == (jar,)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "record",
    [
        json.dumps({"artefacts": ARTEFACTS, "jars": ["/no/such.jar"]}),
        json.dumps({"artefacts": "another:version:1", "jars": [__file__]}),
        "{",
        "[]",
    ],
    ids=["jar deleted", "other version", "cut off", "other shape"],
)
def test_a_record_that_does_not_hold_is_not_used(tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD).write_text(record)
    with pytest.raises(LocalServerError, match=f"Kafka {KAFKA_VERSION} was not fetched: .*refused"):
        kafka_jars(tmp_path)


@pytest.mark.servers
def test_a_resolved_class_path_is_recorded(tmp_path: Path) -> None:
    jars = kafka_jars(tmp_path)
    assert any(jar.name == f"kafka_2.13-{KAFKA_VERSION}.jar" for jar in jars)
    assert json.loads((tmp_path / RECORD).read_text())["jars"] == [str(jar) for jar in jars]
