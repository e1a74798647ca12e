from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Predictor
from stream.testing import NaivePredictor
from tests.stream.graphs import classifier
from tests.training.evaluate.tables import a_table
from tidecast.errors import DataError
from training.data.table import Table
from training.evaluate.back_test import back_test
from training.evaluate.case import Case
from training.evaluate.fitted import fit_some
from training.evaluate.scoring import score
from training.parity import Finding
from training.report.html import number, table, write_page
from training.report.page import Section, render


def page(predictor: Predictor, given: Table, sample: int = 0) -> str:
    case = Case("five <days>", given, np.arange(40, 55), 40, 6)
    test = back_test(predictor, case)
    findings = [Finding("wave", 1e-6, 2e-6)]
    scores = score(test, fit_some(test, sample))
    return render(predictor.manifest, [Section(test, scores)], findings)


def labelled() -> Table:
    given = a_table()
    return given._replace(labels=(np.nan_to_num(given.values[..., 0]) < 0).astype(np.float32))


def test_a_forecasters_page_needs_nothing_else_and_shows_every_baseline() -> None:
    found = page(NaivePredictor(8), a_table(), sample=2)
    assert "http" not in found.replace("http://www.w3.org", "")
    assert len(found) < 300_000
    for words in ("seasonal naive", "drift", "Naive2", "ETS", "Theta", "five &lt;days&gt;", "wave"):
        assert words in found
    for picture in ("by lead", "coverage by lead", "residuals", "over time", "normal error"):
        assert picture in found
    assert found.count("<svg") == 3


def test_a_classifiers_page_shows_confusion_and_calibration() -> None:
    found = page(OnnxPredictor(classifier()), labelled())
    for words in ("came true (rows), answered (columns)", "share right by confidence", "roc auc"):
        assert words in found
    assert "MASE by lead" not in found


def test_a_regressions_page_has_no_leads() -> None:
    predictor = NaivePredictor(8, horizon=1)
    predictor.manifest = msgspec.structs.replace(
        predictor.manifest, task="regression", target="load", lead=0
    )
    found = page(predictor, labelled())
    assert "mean of the history" in found
    assert "residuals" in found
    assert "by lead" not in found


def test_series_that_never_vary_have_a_page_too() -> None:
    given = a_table()
    flat = given._replace(values=np.ones_like(given.values))
    assert "residuals have no scale" in page(NaivePredictor(8), flat)


def test_the_cleaning_record_is_shown_step_by_step() -> None:
    record = {"step": "hampel", "window": 7, "changed": 31, "counted": "values"}
    manifest = NaivePredictor(8).manifest
    found = render(msgspec.structs.replace(manifest, figures={"cleaned": [record]}), [], [])
    for cell in ("hampel", "31 values", "window 7"):
        assert f"<td>{cell}</td>" in found


def test_what_data_say_is_text_on_a_page() -> None:
    assert table(["<b>"], [["<script>"]]).count("<b>") == 0
    assert "<script>" not in table(["a"], [["<script>"]])
    assert number(None) == "–"


def test_a_page_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        write_page(tmp_path / "no" / "page.html", "")
