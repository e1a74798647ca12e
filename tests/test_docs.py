"""The docs name every setting, reason, status and exit code that the code has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from examples.catalogue import EXAMPLES, Example
from stream.admin.inspection import Verdict
from tidecast import errors
from tidecast.errors import Reason, TidecastError
from tidecast.forecast_avro import forecast_schema
from tidecast.messages import FORECAST_AVRO_SCHEMA, FORECAST_SCHEMA, OBSERVATION_SCHEMA, Status
from tidecast.settings import Settings

ROOT = Path(__file__).parents[1]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
EVENT_TIME = (ROOT / "docs" / "event-time.md").read_text(encoding="utf-8")
MESSAGES = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
TRAINING_DATA = (ROOT / "docs" / "training-data.md").read_text(encoding="utf-8")
WORKED = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STATE = (ROOT / "docs" / "state.md").read_text(encoding="utf-8")
CODES = {
    kind.exit_code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TidecastError)
}


@pytest.mark.parametrize("word", [*Reason, *Status])
def test_every_word_of_the_contract_is_explained(word: str) -> None:
    assert word in OPERATIONS


@pytest.mark.parametrize("section", [section for section, _ in Settings()])
def test_every_setting_is_listed(section: str) -> None:
    fields = type(getattr(Settings(), section)).model_fields
    assert f"| {section} |" in OPERATIONS
    assert [name for name in fields if name not in OPERATIONS] == []


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_exit_code_is_listed(code: int) -> None:
    assert f"| {code} |" in OPERATIONS


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", EVENT_TIME))))
def test_every_rule_of_event_time_names_a_test_that_exists(name: str) -> None:
    files = (ROOT / "tests" / "stream").rglob("test_*.py")
    assert any(f"def {name}(" in file.read_text(encoding="utf-8") for file in files)


def test_every_rule_of_event_time_has_a_test() -> None:
    rules = re.findall(r"^\|(?! rule|---)(.*)\|$", EVENT_TIME, re.MULTILINE)
    assert len(rules) > 10
    assert [rule for rule in rules if "`test_" not in rule] == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", TRAINING_DATA))))
def test_every_bad_input_names_a_test_that_exists(name: str) -> None:
    files = (ROOT / "tests" / "training").rglob("test_*.py")
    assert any(f"def {name}(" in file.read_text(encoding="utf-8") for file in files)


def test_the_avro_schema_is_shown_as_it_is_published() -> None:
    assert f"```json\n{forecast_schema()}```" in MESSAGES


@pytest.mark.parametrize("schema", [FORECAST_SCHEMA, FORECAST_AVRO_SCHEMA, OBSERVATION_SCHEMA])
def test_every_schema_header_is_listed(schema: bytes) -> None:
    assert f"| `{schema.decode()}` |" in MESSAGES


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_on_state_is_explained(verdict: Verdict) -> None:
    first_cells = [line.split(" | ")[0] for line in STATE.splitlines() if line.startswith("| ")]
    assert any(verdict in cell for cell in first_cells)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))
def test_every_example_is_told_of_with_its_command_and_family(example: Example) -> None:
    section = WORKED.split(f"\n## {example.name}\n")[1].split("\n## ")[0]
    assert f"python -m examples run {example.name}\n" in section
    family = tomllib.loads(example.recipe.read_text(encoding="utf-8"))["model"]["family"]
    assert re.search(rf"^\| \[{example.name}\].*\b{family}\b", WORKED, re.MULTILINE)


@pytest.mark.parametrize("package", ["stream", "training"])
def test_every_room_is_on_the_map(package: str) -> None:
    rooms = [file.parent.relative_to(ROOT) for file in (ROOT / package).glob("*/__init__.py")]
    assert len(rooms) > 4
    assert [room for room in rooms if f"| `{room.as_posix()}/` |" not in ARCHITECTURE] == []
