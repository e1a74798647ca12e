"""A small net in the place of a large one: of every task, and of a teacher that streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.bundles import bundle_of
from tests.training.lighten.parents import learnt, past, silent, streaming
from tests.training.models.small import (
    CONTEXT,
    FAMILIES,
    HORIZON,
    ONE,
    PLAIN,
    TASKS,
    TWO,
    shaken,
)
from tidecast.errors import BundleError, SettingsError
from training.config import FitConfig
from training.evaluate.case import Case
from training.export import export
from training.graphs import run_graph
from training.lighten.distil import Distillation
from training.lighten.lesson import cross_entropy, distance
from training.lighten.student import Student, read_student
from training.models.assemble import windowed_model
from training.models.linear import NLinearConfig

SHORT = FitConfig(steps=120, batch=64, validate_every=60)
STUDENT = Student(NLinearConfig(CONTEXT), fit=SHORT)


def test_a_student_answers_nearly_as_its_teacher_does() -> None:
    teacher = learnt()
    light = Distillation(STUDENT).lighten(teacher, past(teacher), silent)
    window = np.stack([past(teacher).table.values[1, at : at + CONTEXT] for at in range(100, 150)])
    feed = {"window": window, "origin": np.zeros(50, np.int64)}
    wanted, found = (run_graph(graph, feed)["forecast"] for graph in (teacher.graph, light.graph))
    assert np.abs(found - wanted).mean() < 0.1 * np.ptp(window)
    assert len(light.graph) < len(teacher.graph)
    assert light.facts["parity_worst_relative_error"] <= 1e-4


def test_a_teacher_that_streams_makes_a_student_without_a_state() -> None:
    teacher = streaming()
    light = Distillation(STUDENT).lighten(teacher, past(teacher), silent)
    assert light.changes["state_size"] == 0
    assert light.changes["step_seconds"] == 3600
    bundle_of(light.graph, CONTEXT, HORIZON)


def test_a_classifier_teaches_its_probabilities() -> None:
    seen = ONE._replace(label=TWO.label, counts=TWO.counts)
    large = windowed_model(FAMILIES["mlp"], PLAIN, TASKS["classification"], seen)
    graph = export(shaken(large))
    teacher = bundle_of(
        graph,
        CONTEXT,
        task="classification",
        target="state",
        classes=("idle", "busy", "broken"),
        quantile_levels=(),
        lead=0,
    )
    light = Distillation(STUDENT).lighten(teacher, _labelled(), silent)
    window = past(learnt()).table.values[:, :CONTEXT]
    found = run_graph(light.graph, {"window": window, "origin": np.zeros(2, np.int64)})
    np.testing.assert_allclose(found["probability"].sum(1), 1, atol=1e-5)


def _labelled() -> Case:
    """The past with a class at every slot."""
    plain_past = past(learnt())
    table = plain_past.table
    labels = (np.arange(table.values.shape[1]) % 3).astype(np.float32)
    return plain_past._replace(table=table._replace(labels=np.tile(labels, (len(table.names), 1))))


def test_losses_are_least_where_the_student_says_what_the_teacher_does() -> None:
    wanted = torch.tensor([[0.2, 0.5, 0.3]])
    assert cross_entropy(wanted, wanted) < cross_entropy(torch.tensor([[0.3, 0.4, 0.3]]), wanted)
    quantiles = torch.randn(4, 3, 2)
    assert distance(quantiles, quantiles, torch.ones(4)) == 0
    # Twice as far in a series of twice the range is as far; a constant one teaches nothing.
    apart = quantiles + torch.tensor([1.0, 2.0, 4.0, 9.0])[:, None, None]
    unit = torch.tensor([1.0, 2.0, 4.0, 0.0])
    assert distance(apart, quantiles, unit).item() == pytest.approx(1.0, rel=1e-5)


def test_a_teacher_without_a_median_is_refused() -> None:
    plain_teacher = learnt()
    odd = bundle_of(plain_teacher.graph, CONTEXT, HORIZON, quantile_levels=(0.1, 0.4, 0.9))
    with pytest.raises(BundleError, match=r"tried/1 cannot be a teacher: .*0\.5"):
        Distillation(STUDENT).lighten(odd, past(odd), silent)


def test_a_file_of_a_student_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "student.toml"
    path.write_text('truth = 0.2\n[model]\nfamily = "nlinear"\ncontext = 48\n')
    assert read_student(path) == Student(NLinearConfig(48), truth=0.2)
    path.write_text('[model]\nfamily = "nlinear"\ncontent = 48\n')
    with pytest.raises(SettingsError, match="content"):
        read_student(path)
