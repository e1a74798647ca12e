"""What the README claims of the shipped models is what their manifests say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from training.config import SingleFamily
from training.tasks.task import Task

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def back_tests(model: str) -> dict[str, dict[str, float]]:
    """Figures of a shipped bundle by data set."""
    manifest: dict[str, Any] = msgspec.json.decode(
        (ROOT / "onnx_models" / model / "1" / "manifest.json").read_bytes()
    )
    figures: dict[str, dict[str, float]] = manifest["figures"]["back_tests"]
    return figures


@pytest.mark.parametrize("data", ["ETTh1", "M4 Hourly"])
def test_the_accuracy_table_is_that_of_the_bundles(data: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| {data}"))
    claimed = [float(number) for number in re.findall(r"\| (\d?\.\d{3}) ", row)]
    gru, lstm = (
        next(figures for name, figures in back_tests(model).items() if name.startswith(data))
        for model in ("general-gru", "general-lstm")
    )
    found = [gru["mase"], lstm["mase"], gru["mase_seasonal_naive"]]
    assert claimed == pytest.approx(found, abs=0.0006)


def test_both_commands_and_all_pages_are_there() -> None:
    for name in re.findall(r"\]\(([\w/.]+\.(?:md|svg))", README):
        assert (ROOT / name).exists(), name
    for command in ("demo", "test", "bench"):
        assert (ROOT / "scripts" / command).exists()


def test_there_are_as_many_families_as_it_says() -> None:
    assert len(get_args(SingleFamily)) == 16
    assert "**Sixteen model families, three tasks" in README
    assert len(get_args(Task)) == 3
