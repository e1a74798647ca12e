"""What `scripts/bench accuracy` says of what it found; the fits themselves take hours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from bench.accuracy import contest, zero_shot
from bench.accuracy.kept import Found, as_json, keep, kept, where
from bench.accuracy.page import write
from bench.accuracy.rows import Row
from bench.accuracy.suite import NAMES, chosen
from bench.accuracy.tables import fitted_table, tables, zero_shot_table
from bench.processes import BenchError
from stream.onnx_predictor import OnnxPredictor
from stream.testing import NaivePredictor
from tests.training.evaluate.tables import a_table
from tidecast.bundle import read_bundle
from training.evaluate.case import Case
from training.evaluate.statistical import METHODS

NAMED = {"data", "horizon", "model", "seed", "mse", "mae", "owa", "coverage"}


def a_fit(seed: int, mse: float) -> Row:
    return Row(
        contest="etth1-96",
        data="ETTh1",
        horizon=96,
        model="etth1-96",
        seed=seed,
        mse=mse,
        mae=0.39,
        coverage=0.8,
        minutes=2.0,
    )


def tried(model: str, mase: float, seed: int | None = None, **more: Any) -> list[Row]:  # noqa: ANN401
    """A forecaster at every origin, and at 5 answers, where it does worse by a tenth."""
    row = Row(contest="zero-shot", data="D", horizon=3, model=model, mase=mase, seed=seed, **more)
    return [row, replace(row, answers=5, mase=mase * 1.1)]


@pytest.fixture
def fits() -> list[Row]:
    return [a_fit(1, 0.35), a_fit(2, 0.38), a_fit(3, 0.40)]


@pytest.fixture
def trial() -> list[Row]:
    rows = [*tried("general-gru", 0.9, 1, coverage=0.79), *tried("general-lstm", 1.2, 1)]
    rows += [*tried("naive", 3.0), *tried("seasonal naive", 1.0)]
    return rows + [tried(name, 1.0 + place)[1] for place, name in enumerate(METHODS)]


def test_a_contest_is_the_median_of_its_seeds_beside_the_bar(fits: list[Row]) -> None:
    ((name, *cells),) = fitted_table(fits).rows
    assert name == "etth1-96"
    assert cells[:5] == [
        "ETTh1",
        "96",
        "3",
        "0.380 (at most 0.362, short by 5.0%)",
        "0.390 (at most 0.392)",
    ]
    assert "PatchTST" in cells[-1]


def test_zero_shot_models_are_beside_the_best_on_the_same_answers(trial: list[Row]) -> None:
    gru, lstm = zero_shot_table(trial).rows
    assert gru[:5] == ["D: general-gru", "0.900", "1.000", "10.0% better", "5"]
    assert gru[5:10] == ["0.990", "1.100", "2.200", "3.300", "10.0% better"]
    assert (lstm[3], lstm[9]) == ("short by 20.0%", "short by 20.0%")


def test_a_model_and_every_baseline_have_a_row_on_all_answers_and_on_the_drawn() -> None:
    case = Case("noise", a_table(), np.arange(40, 55, 3), 40, 6)
    predictor = NaivePredictor(8)
    predictor.manifest = replace(predictor.manifest, name="tiny", training={"seed": 7})
    lines: list[str] = []
    rows = zero_shot.try_on(case, [predictor], 4, lines.append)
    assert {row.answers for row in rows} == {None, 4}
    every = {row.model: row for row in rows if row.answers is None}
    drawn = {row.model: row for row in rows if row.answers == 4}
    assert drawn.keys() - every.keys() == set(METHODS)
    assert every.keys() == {"tiny", "naive", "seasonal naive", "drift", "Naive2"}
    assert (every["tiny"].seed, drawn["tiny"].seed) == (7, 7)
    assert (every["drift"].seed, every["drift"].horizon, every["drift"].data) == (None, 3, "noise")
    assert any("against the best of them" in line for line in lines)


def test_models_of_different_horizons_are_not_compared() -> None:
    case = Case("noise", a_table(), np.arange(40, 55, 3), 40, 6)
    with pytest.raises(BenchError, match="different horizons"):
        zero_shot.try_on(case, [NaivePredictor(8), NaivePredictor(8, horizon=2)], 1, print)


@pytest.mark.skipif(not zero_shot.DATA.exists(), reason="../shared/data is not there")
def test_the_general_models_are_asked_by_the_published_protocol() -> None:
    manifest = read_bundle(Path("onnx_models") / zero_shot.MODELS[0]).manifest
    etth1, m4 = (read(zero_shot.DATA, manifest) for read, _ in zero_shot.CASES)
    horizon = manifest.horizon
    assert len(etth1.table.names) == 7
    assert etth1.origins[[0, -1]].tolist() == [11_520 - 1, 14_400 - 1 - horizon]
    assert etth1.history == 8_640
    assert (len(m4.table.names), len(m4.origins)) == (414, 1)
    # The case is a small one, and the models are the shipped ones.
    few = m4._replace(table=m4.table._replace(names=m4.table.names[:2], values=m4.table.values[:2]))
    predictor = OnnxPredictor(read_bundle(Path("onnx_models") / zero_shot.MODELS[0]))
    row = zero_shot.try_on(few, [predictor], 0, print)[0]
    assert (row.model, row.seed, row.data) == ("general-gru", 1, "M4 Hourly")
    assert row.mase is not None


def test_without_the_data_there_is_no_figure_and_a_reason(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"zero-shot: cannot read .*ETTh1\.csv"):
        zero_shot.run(print, data=tmp_path)
    with pytest.raises(BenchError, match="zero-shot: no bundle in"):
        zero_shot.run(print, bundles=tmp_path)
    with pytest.raises(BenchError, match="etth1-24: no recipe at"):
        contest.run("etth1-24", 1, print, recipes=tmp_path)


def test_contests_are_chosen_by_name_in_their_own_order() -> None:
    assert chosen(["zero-shot", "etth1-96"]) == ["etth1-96", "zero-shot"]
    assert chosen([]) == list(NAMES)
    with pytest.raises(BenchError, match="no contest etth1-48; there are etth1-24"):
        chosen(["etth1-48"])


def test_what_is_kept_of_a_contest_is_the_last_run_and_others_stay(
    fits: list[Row], trial: list[Row], tmp_path: Path
) -> None:
    file = tmp_path / "runs" / "accuracy.json"
    conditions = where()
    assert kept(file) == {}
    keep("etth1-96", Found(tuple(fits[:1]), conditions), file)
    keep("zero-shot", Found(tuple(trial), conditions), file)
    keep("etth1-96", Found(tuple(fits), conditions), file)
    assert {name: list(found.rows) for name, found in kept(file).items()} == {
        "etth1-96": fits,
        "zero-shot": trial,
    }


def test_the_json_has_a_row_for_each_fit_and_forecaster(fits: list[Row], trial: list[Row]) -> None:
    conditions = where()
    contests = {
        "etth1-96": Found(tuple(fits), conditions),
        "zero-shot": Found(tuple(trial), conditions),
    }
    rows = json.loads(as_json(contests))["rows"]
    assert len(rows) == len(fits) + len(trial)
    assert all(row.keys() >= NAMED | {"mase"} for row in rows)
    assert [row["seed"] for row in rows if row["model"] == "Theta"] == [None]
    assert [len(table.rows) for table in tables(contests)] == [1, 2]


def test_the_page_has_both_tables_the_picture_and_what_was_not_run(
    fits: list[Row], trial: list[Row], tmp_path: Path
) -> None:
    page = tmp_path / "accuracy.md"
    conditions = where()
    write(
        {
            "etth1-96": Found(tuple(fits), conditions),
            "zero-shot": Found(tuple(trial), conditions),
        },
        page,
    )
    text = page.read_text()
    for words in ("short by 5.0%", "short by 20.0%", "python -m training evaluate", "torch "):
        assert words in text
    assert conditions.machine in text
    assert "not run: etth1-24, ettm1-96, m4-hourly" in text
    (picture,) = re.findall(r"!\[.*\]\((.*)\)", text)
    drawn = (tmp_path / picture).read_text()
    assert "general-lstm" in drawn
    assert "Naive2" not in drawn


def test_without_results_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="run `scripts/bench accuracy` first"):
        write({}, tmp_path / "accuracy.md")


def test_the_other_benches_need_neither_pytorch_nor_matplotlib() -> None:
    asked = "import sys, bench.cli; print({'torch', 'matplotlib'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
