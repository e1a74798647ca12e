from __future__ import annotations

from msgspec.structs import replace

from examples.scores import shown
from stream.testing import manifest_of

FIGURES = {
    "series": 2,
    "origins": 30,
    "mase": 0.81234,
    "coverage": 0.8,
    "baselines": {"naive": {"mase": 1.2}, "seasonal naive": {"mase": 0.95}},
}


def test_the_model_stands_above_its_baselines_measure_by_measure() -> None:
    manifest = replace(
        manifest_of("tiny", 4, 2, ["value"], 0), figures={"back_tests": {"test part": FIGURES}}
    )
    title, header, *lines = shown(manifest).splitlines()
    assert title == "test part: 2 series, 30 origins"
    columns = header.split()
    rows = [line.rsplit(maxsplit=len(columns)) for line in lines]
    assert [(row[0].strip(), row[1]) for row in rows] == [
        (manifest.name, "0.812"),
        ("naive", "1.200"),
        ("seasonal naive", "0.950"),
    ]
    assert rows[1][1 + columns.index("coverage")] == "-"
