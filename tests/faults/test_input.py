from __future__ import annotations

from random import Random

import pytest

from bench.faults.catalogue import FAULTS
from bench.faults.fault import Fault
from bench.faults.points import SEQUENCES, SERIES, Load, Points, value_of
from stream.decoder import Decoder
from stream.records import LoggedRecord

LOAD = Load(events=3_000, series=50)
BEGIN_MS = 1_700_000_000_000
REGULAR = list(Points(LOAD, BEGIN_MS))
SHAPED = [fault for fault in FAULTS.values() if fault.group in ("input", "mix")]


def test_a_value_says_which_point_it_is_and_is_exact_in_32_bits() -> None:
    assert len({point.value for point in REGULAR}) == LOAD.events
    assert 4 * value_of(SERIES - 1, SEQUENCES - 1) < 2**24


@pytest.mark.parametrize("fault", SHAPED, ids=lambda fault: fault.name)
def test_a_seed_decides_the_whole_input(fault: Fault) -> None:
    first, again = (fault.shape(REGULAR, Random(5)) for _ in range(2))
    assert first == again
    assert first


def test_every_poison_is_refused() -> None:
    poisoned = FAULTS["input-poison"].shape(REGULAR, Random(3))
    records = [
        LoggedRecord(offset, BEGIN_MS + 10_000_000, point.series_id.encode(), point.encode())
        for offset, point in enumerate(poisoned)
    ]
    columns = Decoder(["value"], 300).decode(records)
    refused = {one.position for one in columns.refusals}
    assert refused == {place for place, point in enumerate(poisoned) if point.raw is not None}
    assert 0.05 < len(refused) / LOAD.events < 0.15
