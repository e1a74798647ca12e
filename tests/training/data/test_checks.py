from __future__ import annotations

import numpy as np
import pytest

from tests.training.data.writing import table_of
from tidecast.errors import DataError
from training.data.checks import check
from training.data.table import Split, Table

CUT = Split(12, 18, 24)
NAN = np.nan


def good() -> Table:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, (2, 24)).astype(np.float32)
    table = table_of(rng.normal(size=(2, 24, 2)), labels=labels)
    known = rng.normal(size=(2, 24, 1)).astype(np.float32)
    return table._replace(known=known, covariates=("plan",))


def test_data_that_vary_pass_though_one_series_is_constant_and_another_missing() -> None:
    table = good()
    check(table, CUT)
    table.values[0, :, 0] = 5
    check(table, CUT)
    table.values[0, :, 0] = NAN
    check(table, CUT)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7.0, r"channel 'channel-1' is constant .* \(7\).*; leave it out"),
        (NAN, "channel 'channel-1' has no value in the training part of any series"),
    ],
)
def test_a_channel_that_teaches_nothing_is_named(value: float, message: str) -> None:
    table = good()
    table.values[:, : CUT.validate, 1] = value
    with pytest.raises(DataError, match=message):
        check(table, CUT)


def test_a_label_of_one_class_only_is_an_error() -> None:
    labels = np.zeros((2, 24), np.float32)
    labels[:, CUT.test :] = 1  # too late to learn from
    with pytest.raises(DataError, match="the label is constant"):
        check(good()._replace(labels=labels), CUT)


def test_a_covariate_that_teaches_nothing_is_named() -> None:
    table = good()
    assert table.known is not None
    table.known[:, : CUT.validate] = 0
    with pytest.raises(DataError, match="covariate 'plan' is constant in the training part"):
        check(table, CUT)


def test_a_static_attribute_is_to_tell_one_series_from_another() -> None:
    table = good()._replace(static=("plan",))
    assert table.known is not None
    table.known[:] = np.array([40, 60]).reshape(2, 1, 1)
    check(table, CUT)
    table.known[:] = 40
    with pytest.raises(DataError, match="covariate 'plan' is static and the same for every series"):
        check(table, CUT)
