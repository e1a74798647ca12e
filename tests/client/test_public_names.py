"""What users import; a change here is a change for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tidecast

PUBLIC = [
    "Forecast",
    "Observation",
    "Publisher",
    "Reason",
    "Rejection",
    "Settings",
    "Status",
    "Subscriber",
    "TidecastError",
    "load_settings",
]


def test_the_public_names_are_these_and_each_can_be_had() -> None:
    assert tidecast.__all__ == PUBLIC
    for name in PUBLIC:
        assert getattr(tidecast, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Publihser"):
        _ = tidecast.Publihser


def test_the_command_line_does_not_import_what_a_help_page_does_not_need() -> None:
    script = "import sys, tidecast.cli; print([m for m in sys.modules if '.' not in m])"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    for heavy in ("kafka", "polars", "aiokafka", "redis", "pydantic", "onnxruntime", "faust"):
        assert f"'{heavy}'" not in found
