"""Every windowed family, at every task: the laws that hold whatever the weights are."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from tests.training.models.small import (
    CONTEXT,
    FAMILIES,
    HOLIDAY,
    HORIZON,
    ROWS,
    TASKS,
    Inputs,
    hostile,
    plain,
    rich,
)
from training.export import export
from training.graphs import run_graph
from training.models.families import WindowedFamily
from training.parity import TOLERANCE, relative_error
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.task import Task

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
tasks = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
DAY = 86_400


def targets(task: Task, rows: int) -> torch.Tensor:
    """Any targets that the task's head takes."""
    random = torch.Generator().manual_seed(2)
    if isinstance(task, ForecastTask):
        return 5 + 2 * torch.randn(rows, HORIZON, generator=random)
    if isinstance(task, ClassificationTask):
        return torch.randint(0, 3, (rows,), generator=random).float()
    return 50 + 9 * torch.randn(rows, generator=random)


def benign(rows: int, task: Task) -> Inputs:
    """Noise, everything known."""
    random = torch.Generator().manual_seed(3)
    ahead = HORIZON if isinstance(task, ForecastTask) else 1
    return Inputs(
        5 + 2 * torch.randn(rows, CONTEXT, 2, generator=random),
        torch.randint(0, 4_000_000_000, (rows,), generator=random),
        torch.randn(rows, ahead, 1, generator=random),
    )


@families
@tasks
@pytest.mark.parametrize("scaling", ["window", "global"])
def test_hostile_windows_get_answers_by_the_contract(
    family: WindowedFamily, task: Task, scaling: str
) -> None:
    with torch.no_grad():
        answers = rich(family, task, scaling)(*hostile(ROWS, task))
    assert torch.isfinite(answers).all()
    if isinstance(task, ClassificationTask):
        assert answers.shape == (ROWS, 3)
        torch.testing.assert_close(answers.sum(1), torch.ones(ROWS))
    else:
        horizon = HORIZON if isinstance(task, ForecastTask) else 1
        assert answers.shape == (ROWS, horizon, 3)
        assert (answers.diff(dim=-1) >= 0).all()


@families
@tasks
def test_the_loss_reaches_every_parameter(family: WindowedFamily, task: Task) -> None:
    model = rich(family, task)
    torch.autograd.backward(model.loss(*benign(64, task), targets(task, 64)))
    without = [
        name for name, part in model.named_parameters() if part.grad is None or not part.grad.any()
    ]
    assert not without


@families
@tasks
def test_the_graph_answers_as_torch_does_at_any_batch(family: WindowedFamily, task: Task) -> None:
    model = rich(family, task)
    graph = export(model)
    operators = {node.op_type for node in onnx.load_from_string(graph).graph.node}
    assert {"Loop", "If", "Scan", "Pad"}.isdisjoint(operators)
    for rows in (1, 7, 256):
        inputs = hostile(rows, task, seed=rows)
        found = answers(graph, inputs)
        with torch.no_grad():
            expected = model(*inputs).numpy()
        unit = model.unit(inputs.window.numpy())
        assert relative_error(found, expected, unit).max() <= TOLERANCE


def answers(graph: bytes, inputs: Inputs) -> np.ndarray:
    """What ONNX Runtime makes of the inputs."""
    feed = {name: part.numpy() for name, part in inputs._asdict().items() if part is not None}
    (answer,) = run_graph(graph, feed).values()
    return answer


@families
def test_a_graph_that_sees_its_window_alone_answers_as_torch_does(family: WindowedFamily) -> None:
    task = TASKS["forecast"]
    model = plain(family, task)
    window = hostile(ROWS, task).window[..., :1]
    inputs = Inputs(window, torch.zeros(ROWS, dtype=torch.int64))
    found = answers(export(model), inputs)
    with torch.no_grad():
        expected = model(*inputs).numpy()
    assert relative_error(found, expected, model.unit(window.numpy())).max() <= TOLERANCE


@families
def test_a_window_s_unit_and_offset_pass_through(family: WindowedFamily) -> None:
    model = plain(family, TASKS["forecast"])
    window = benign(16, TASKS["forecast"]).window[..., :1]
    origin = torch.zeros(16, dtype=torch.int64)
    with torch.no_grad():
        forecast = model(window, origin)
        for factor, offset in ((1e-18, 0.0), (8.0, -32.0)):
            moved = (model(factor * window + offset, origin) - offset) / factor
            torch.testing.assert_close(moved, forecast, rtol=1e-3, atol=1e-3)
        constant = torch.full((1, CONTEXT, 1), 41.5)
        assert (model(constant, origin[:1]) == 41.5).all()


@families
def test_what_is_known_ahead_matters(family: WindowedFamily) -> None:
    task = TASKS["forecast"]
    model = rich(family, task)
    inputs = benign(4, task)
    assert inputs.future is not None
    # Four slots of the horizon lie in the day after the origin's; that day is a holiday, or none.
    eve = torch.full((4,), HOLIDAY * DAY - 3 * 3600 - 1)
    changed = inputs.future.clone()
    changed[:, -1] += 3.0
    with torch.no_grad():
        before = model(inputs.window, eve, inputs.future)
        covariate = model(inputs.window, eve, changed)
        # Four weeks later all but the holiday is as it was.
        working = model(inputs.window, eve + 28 * DAY, inputs.future)
    assert not torch.allclose(before, covariate, rtol=1e-3)
    assert not torch.allclose(before, working, rtol=1e-3)


@families
def test_history_matters(family: WindowedFamily) -> None:
    task = TASKS["forecast"]
    model = rich(family, task)
    features = model.front(*benign(4, task))
    start = model.front.shape.flat - HORIZON * 3 - model.front.shape.history
    flat = features.flat.clone()
    flat[:, start : start + model.front.shape.history] += 1
    changed = features._replace(flat=flat, history=features.history + 1)
    with torch.no_grad():
        assert not torch.allclose(model.net(features), model.net(changed), rtol=1e-3)


@families
@tasks
def test_a_model_lives_on_one_device(family: WindowedFamily, task: Task) -> None:
    """The meta device computes shapes alone, and refuses tensors that were left elsewhere."""
    model = rich(family, task).to("meta")
    window, origin, future = (part.to("meta") for part in benign(3, task) if part is not None)
    loss = model.loss(window, origin, future, targets(task, 3).to("meta"))
    assert loss.device.type == "meta"
