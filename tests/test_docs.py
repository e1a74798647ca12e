"""The docs name every setting, reason, status and exit code that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.inspection import Verdict
from tidecast import errors
from tidecast.errors import Reason, TidecastError
from tidecast.messages import Status
from tidecast.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")
STATE = (DOCS / "state.md").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_on_state_is_explained(verdict: Verdict) -> None:
    first_cells = [line.split(" | ")[0] for line in STATE.splitlines() if line.startswith("| ")]
    assert any(verdict in cell for cell in first_cells)
